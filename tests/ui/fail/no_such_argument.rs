use managed_agents::{GovernanceDenied, governed};

#[governed(redact(pasword), skip(usr, nobody))]
async fn login(user: &str, password: &str) -> Result<usize, GovernanceDenied> {
    Ok(user.len() + password.len())
}

#[governed(include(self))]
async fn without_self(user: &str) -> Result<usize, GovernanceDenied> {
    Ok(user.len())
}

fn main() {}
