use managed_agents::{GovernanceDenied, governed};

#[governed(risk = hgih)]
async fn misspelt(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(risk = "high")]
async fn quoted(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(risk)]
async fn missing(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(read_only = true)]
async fn valued_flag(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(timeout = "5 parsecs", cancel = never, name = "not a name")]
async fn several(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(redact, skip(), include(n))]
async fn lists(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed]
async fn parameters(
    #[governed(kind = bash)] a: &str,
    #[governed(range = 5)] b: u8,
    #[governed(state(name = 1))] c: &u8,
) -> Result<u8, GovernanceDenied> {
    let _ = (a, c);
    Ok(b)
}

#[governed = "high"]
async fn pair(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

fn main() {}
