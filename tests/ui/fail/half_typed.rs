use managed_agents::{GovernanceDenied, governed};

#[governed]
async fn body_is_not_rust(n: u8) -> Result<u8, GovernanceDenied> {
    let x = n.;
    Ok(x)
}

#[governed]
async fn wrong_body(n: u8) -> Result<String, GovernanceDenied> {
    n
}

#[governed]
async fn no_value(n: u8) -> Result<u8, GovernanceDenied> {
    let _ = n;
}

#[governed(risk = hgih)]
async fn still_there(/// Doc.
    #[governed(kind = path)] n: &str) -> Result<usize, GovernanceDenied> {
    Ok(n.len())
}

fn main() {
    let _ = still_there("a");
}
