use managed_agents::{GovernanceDenied, governed};

#[governed(cancel = finish)]
async fn borrowed(n: u8, to: &str, other: &str) -> Result<usize, GovernanceDenied> {
    Ok(to.len() + other.len() + usize::from(n))
}

#[governed(cancel = finish)]
async fn hidden(to: std::borrow::Cow<'_, str>) -> Result<usize, GovernanceDenied> {
    Ok(to.len())
}

struct Mailer;

impl Mailer {
    #[governed(cancel = finish)]
    async fn method(&self, to: String) -> Result<usize, GovernanceDenied> {
        Ok(to.len())
    }
}

fn main() {}
