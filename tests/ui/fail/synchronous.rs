use managed_agents::{GovernanceDenied, governed};

#[governed]
fn area(w: f64, h: f64) -> Result<f64, GovernanceDenied> {
    Ok(w * h)
}

#[governed(blocking)]
async fn both(w: f64) -> Result<f64, GovernanceDenied> {
    Ok(w)
}

#[governed]
#[test]
fn test() {}

fn main() {}
