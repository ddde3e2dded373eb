use managed_agents::{GovernanceDenied, governed};

trait Post {
    #[governed(risk = high)]
    async fn post(&self, #[governed(state)] to: &str) -> Result<u8, GovernanceDenied>;
}

#[governed]
struct Mailer;

#[governed]
trait Other {}

#[governed]
const LIMIT: u8 = 1;

#[governed]
mod tools {}

#[governed]
impl Mailer {
    fn nothing_governed(&self) {}
}

#[governed(risk = high)]
impl Mailer {
    #[governed]
    async fn one(&self) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
}

fn main() {}
