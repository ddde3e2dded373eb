use managed_agents::{GovernanceDenied, governed};

#[governed(redact(email), subject = format!("customer {email}"))]
async fn subject(email: &str) -> Result<usize, GovernanceDenied> {
    Ok(email.len())
}

#[governed(redact(email))]
async fn identity(email: &str, #[governed(state(id = email))] db: &u8) -> Result<usize, GovernanceDenied> {
    let _ = db;
    Ok(email.len())
}

#[governed(redact(self))]
async fn receiver(email: &str) -> Result<usize, GovernanceDenied> {
    Ok(email.len())
}

struct Mailer;

impl Mailer {
    #[governed(redact(email), include(self = (1, email)))]
    async fn own_identity(&self, email: &str) -> Result<usize, GovernanceDenied> {
        Ok(email.len())
    }
}

fn main() {}
