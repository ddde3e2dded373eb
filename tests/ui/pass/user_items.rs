//! Users have items of any name; so do the crates that are hidden by them.
#![deny(warnings)]
#![allow(dead_code, unused_macros, non_camel_case_types)]

mod std {}
mod core {}
mod alloc {}
mod serde {}
mod tokio {}
struct Result;
struct Option;
struct Some;
struct None;
struct Ok;
struct Err;
struct String;
struct Vec;
struct Box;
struct Arc;
struct Send;
struct Sync;
struct Future;
struct Pin;
struct Draft;
struct Tool;
struct From;
struct Into;
macro_rules! vec { () => { compile_error!("not this one") } }
macro_rules! concat { () => { compile_error!("not this one") } }
fn gate() {}
const __META: u8 = 1;

type Answer<T> = ::core::result::Result<T, managed_agents::GovernanceDenied>;

/// One.
#[managed_agents::governed(risk = high, irreversible, redact(body), target = __call, timeout = "5s")]
async fn send(to: &str, body: &str, __call: &str, #[governed(range = 1..)] n: ::core::option::Option<u8>, #[governed(state(id = 7))] db: &Draft) -> Answer<u8> {
    let _ = (to, body, __call, n, db);
    ::core::result::Result::Ok(1)
}

#[managed_agents::governed(blocking, exact)]
fn count(names: &[&str], __parts: u8, __value: u8) -> Answer<usize> {
    let _ = (__parts, __value);
    ::core::result::Result::Ok(names.len())
}

struct Mailer;

#[managed_agents::governed]
impl Mailer {
    #[managed_agents::governed]
    async fn post(&self, __this: u8, __states: &str) -> Answer<u8> {
        let _ = (__this, __states, self);
        ::core::result::Result::Ok(1)
    }
}

/// A function of which the body has items of every name too.
#[managed_agents::governed]
async fn inner(n: u8) -> Answer<u8> {
    struct Answer;
    fn __returned() {}
    let _ = (Answer, __returned);
    ::core::result::Result::Ok(n)
}

fn main() {
    let _ = (send::tool(), count::tool(), inner::tool());
    let _ = Mailer::tools(&::std::sync::Arc::new(Mailer));
}
