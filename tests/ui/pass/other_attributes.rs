//! Other attributes, above and below.
#![deny(warnings)]
#![allow(dead_code)]
use managed_agents::{governed, GovernanceDenied};

type Answer<T> = Result<T, GovernanceDenied>;

#[tracing::instrument]
#[governed]
async fn instrument_above(a: u8) -> Answer<u8> {
    Ok(a)
}

#[governed]
#[tracing::instrument(skip(a))]
async fn instrument_below(mut a: u8) -> Answer<u8> {
    a += 1;
    Ok(a)
}

#[governed]
#[inline]
#[cfg(any())]
async fn absent(a: Absent) -> Answer<u8> {
    Ok(a)
}

#[async_trait::async_trait]
trait Post {
    async fn post(&self, to: &str) -> Answer<usize>;
    async fn again(&mut self, to: String) -> Answer<usize>;
}

struct Inside;
#[async_trait::async_trait]
impl Post for Inside {
    #[governed]
    async fn post(&self, to: &str) -> Answer<usize> {
        Ok(to.len())
    }
    #[governed(risk = high, include(self = 1))]
    async fn again(&mut self, to: String) -> Answer<usize> {
        Ok(to.len())
    }
}

struct Above;
#[governed]
#[async_trait::async_trait]
impl Post for Above {
    #[governed]
    async fn post(&self, to: &str) -> Answer<usize> {
        let _ = self;
        Ok(to.len())
    }
    #[governed]
    async fn again(&mut self, to: String) -> Answer<usize> {
        Ok(to.len())
    }
}

struct Below;
#[async_trait::async_trait]
#[governed]
impl Post for Below {
    #[governed]
    async fn post(&self, to: &str) -> Answer<usize> {
        Ok(to.len())
    }
    #[governed]
    async fn again(&mut self, to: String) -> Answer<usize> {
        Ok(to.len())
    }
}

fn main() {
    let _ = (instrument_above::tool(), instrument_below::tool());
}
