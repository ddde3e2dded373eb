use managed_agents::{GovernanceDenied, governed};

#[governed(blocking)]
const fn constant(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(blocking)]
unsafe fn not_safe(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(blocking)]
extern "C" fn foreign(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed]
#[test]
async fn plain_test() -> Result<(), GovernanceDenied> {
    Ok(())
}

#[governed(blocking)]
fn main() -> Result<(), GovernanceDenied> {
    Ok(())
}
