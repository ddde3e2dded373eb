use managed_agents::{GovernanceDenied, governed};

#[governed(irreversible)]
async fn with_state(a: u8, #[governed(state)] bank: &u8) -> Result<u8, GovernanceDenied> {
    Ok(a + bank)
}

struct Mailer;

impl Mailer {
    #[governed(risk = critical, target = "mail")]
    async fn method(&self, a: u8) -> Result<u8, GovernanceDenied> {
        Ok(a)
    }
}

#[governed]
impl Mailer {
    #[governed(risk = high)]
    async fn in_block(self: std::sync::Arc<Self>, a: u8) -> Result<u8, GovernanceDenied> {
        Ok(a)
    }
}

fn main() {}
