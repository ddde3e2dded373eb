#![deny(dead_code, unused_variables, unused_mut)]
use managed_agents::{GovernanceDenied, governed};

#[governed]
async fn never_called(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed]
async fn never_read(n: &str, mut m: u8) -> Result<u8, GovernanceDenied> {
    Ok(m)
}

struct Mailer;

#[governed]
impl Mailer {
    #[governed]
    async fn never_read(&self, n: u8) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
    #[governed(no_tool)]
    async fn never_called(&self, n: u8) -> Result<u8, GovernanceDenied> {
        Ok(n)
    }
}

fn main() {
    let _ = never_read("", 1);
    let _ = Mailer.never_read(1);
}
