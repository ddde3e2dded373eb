use managed_agents::{GovernanceDenied, governed};
use std::future::{Future, IntoFuture};
use std::pin::Pin;

type SendFuture = Pin<Box<dyn Future<Output = Result<u8, GovernanceDenied>> + Send>>;

#[governed]
fn opaque(n: u8) -> impl Future {
    async move { n }
}

#[governed]
fn into_one(n: u8) -> impl IntoFuture<Output = Result<u8, GovernanceDenied>> {
    async move { Ok(n) }
}

#[governed]
fn alias(n: u8) -> SendFuture {
    Box::pin(async move { Ok(n) })
}

#[governed(blocking)]
fn not_asked_for(n: u8) -> SendFuture {
    Box::pin(async move { Ok(n) })
}

#[governed]
fn boxed_only(n: u8) -> Box<dyn Future<Output = Result<u8, GovernanceDenied>> + Unpin> {
    Box::new(std::future::ready(Ok(n)))
}

struct Poster;

#[governed]
impl Poster {
    #[governed]
    fn post(&self, n: u8) -> Pin<Box<dyn Future + Send>> {
        Box::pin(async move { n })
    }
}

#[governed(blocking)]
fn both(n: u8) -> impl Future<Output = Result<u8, GovernanceDenied>> {
    async move { Ok(n) }
}

#[governed]
fn no_denial(n: u8) -> impl Future<Output = u8> {
    async move { n }
}

fn main() {}
