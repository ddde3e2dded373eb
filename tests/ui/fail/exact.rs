use managed_agents::{GovernanceDenied, governed};

#[governed(exact)]
async fn borrowed_return(a: &str) -> Result<&str, GovernanceDenied> {
    Ok(a)
}

#[governed(exact)]
async fn mutable(a: &mut String) -> Result<usize, GovernanceDenied> {
    Ok(a.len())
}

#[governed(exact)]
async fn nested(a: (&str, u8)) -> Result<usize, GovernanceDenied> {
    Ok(a.0.len())
}

#[governed(exact)]
async fn opaque(a: impl serde::Serialize) -> Result<usize, GovernanceDenied> {
    let _ = a;
    Ok(1)
}

fn main() {}
