use managed_agents::{GovernanceDenied, governed};

#[governed(risk = high)]
#[governed(read_only)]
async fn function(#[governed(kind = path)] #[governed(kind = url)] a: &str) -> Result<usize, GovernanceDenied> {
    Ok(a.len())
}

struct Mailer;

#[governed]
#[governed]
impl Mailer {
    #[governed]
    #[managed_agents::governed]
    async fn send(&self) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
}

fn main() {}
