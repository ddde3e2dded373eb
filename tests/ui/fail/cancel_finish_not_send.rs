use managed_agents::{GovernanceDenied, governed};

#[governed(cancel = finish, no_tool)]
async fn not_send(#[governed(state)] to: std::rc::Rc<u8>) -> Result<u8, GovernanceDenied> {
    Ok(*to)
}

fn main() {}
