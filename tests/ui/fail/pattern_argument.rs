use managed_agents::{GovernanceDenied, governed};

#[governed]
async fn pair((a, b): (u8, u8), _: &str) -> Result<u8, GovernanceDenied> {
    Ok(a + b)
}

#[governed]
async fn conditional(#[cfg(unix)] a: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

fn main() {}
