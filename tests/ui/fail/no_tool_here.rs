use managed_agents::{GovernanceDenied, governed};

#[governed(blocking)]
fn str(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed]
async fn größe(n: u8) -> Result<u8, GovernanceDenied> {
    Ok(n)
}

#[governed]
async fn owned_state(#[governed(state)] db: Vec<u8>, #[governed(state)] log: &mut String) -> Result<usize, GovernanceDenied> {
    Ok(db.len() + log.len())
}

struct Mailer;

#[governed]
impl Mailer {
    #[governed]
    async fn fine(&self) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
    #[governed(tool = other)]
    async fn mutable(&mut self) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
}

impl Mailer {
    #[governed(tool = alone)]
    async fn alone(&self) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
}

struct Borrowing<'a>(&'a str);

#[governed]
impl<'a> Borrowing<'a> {
    #[governed]
    async fn len(&self) -> Result<usize, GovernanceDenied> {
        Ok(self.0.len())
    }
}

trait Post {
    async fn post(&self) -> Result<u8, GovernanceDenied>;
}

#[governed(tools = trait_tools)]
impl Post for Mailer {
    #[governed]
    async fn post(&self) -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
}

fn main() {}
