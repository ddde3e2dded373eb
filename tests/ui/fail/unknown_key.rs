use managed_agents::{GovernanceDenied, governed};

#[governed(riks = high)]
async fn near(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(colour = "red", irreversible)]
async fn far(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(risk = low, read_only, risk = high)]
async fn repeated(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed(kind = shell)]
async fn of_a_parameter(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed]
async fn of_the_function(#[governed(read_only)] n: u8, #[governed(rang = 1..2)] m: u8) -> Result<u8, GovernanceDenied> {
    Ok(n + m)
}

#[governed(tools = all)]
async fn of_a_block(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

fn main() {}
