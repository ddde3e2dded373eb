use managed_agents::{GovernanceDenied, governed};

#[governed]
async fn not_send(n: u8) -> Result<u8, GovernanceDenied> {
    let held = std::rc::Rc::new(n);
    std::future::ready(()).await;
    Ok(*held)
}

fn main() {}
