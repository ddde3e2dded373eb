//! What the user left unused is still reported, once, on what the user wrote.
#![deny(unfulfilled_lint_expectations)]
use managed_agents::{governed, GovernanceDenied};

#[expect(unused_variables)]
#[governed]
async fn never_read(a: &str) -> Result<u8, GovernanceDenied> {
    Ok(1)
}

#[governed]
async fn never_read_here(#[expect(unused_variables)] a: u8, #[expect(unused_mut)] mut b: u8) -> Result<u8, GovernanceDenied> {
    Ok(b)
}

#[governed(blocking)]
#[expect(unused_variables, unused_mut)]
fn never_read_blocking(mut a: u8, b: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

#[governed]
#[expect(dead_code)]
async fn never_called(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[expect(dead_code)]
#[governed(no_tool)]
async fn never_called_nor_given(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(blocking, tool = never_called_tool)]
#[expect(dead_code)]
fn never_called_blocking(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed]
#[allow(dead_code)]
async fn never_called_and_that_is_fine(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

struct Mailer;
impl Mailer {
    #[governed]
    #[expect(dead_code)]
    async fn never_called(&self) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
}

#[governed]
impl Mailer {
    #[governed]
    #[expect(unused_variables)]
    pub async fn never_read(&self, a: u8) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
}

fn main() {
    let _ = (never_read::tool(), never_read_here::tool(), never_read_blocking::tool());
    let _ = Mailer.never_read(1);
}
