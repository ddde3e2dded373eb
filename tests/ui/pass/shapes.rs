//! Shapes of functions that are governed.
#![deny(warnings)]
#![allow(dead_code)]
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use managed_agents::{governed, GovernanceDenied};

type Answer<T> = Result<T, GovernanceDenied>;

#[governed]
async fn several_elided(a: &str, b: &[u8], c: Cow<'_, str>, d: Cow<str>) -> Answer<usize> {
    Ok(a.len() + b.len() + c.len() + d.len())
}

#[governed]
async fn named<'a, 'b: 'a>(a: &'a str, b: &'b str) -> Answer<&'a str> {
    Ok(if a.is_empty() { b } else { a })
}

#[governed]
async fn in_and_out(a: &mut Vec<u8>) -> Answer<&mut u8> {
    a.push(1);
    a.last_mut().ok_or_else(|| unreachable!())
}

#[governed]
async fn options(a: Option<&str>, b: Option<u8>, c: Option<&[u8]>, d: Vec<&str>) -> Answer<usize> {
    Ok(a.map_or(0, str::len) + b.map_or(0, usize::from) + c.map_or(0, <[u8]>::len) + d.len())
}

#[governed]
async fn generic<T, const N: usize>(a: T, b: [u8; 4], c: &T) -> Answer<usize>
where
    T: serde::Serialize + serde::de::DeserializeOwned + schemars::JsonSchema,
{
    let _ = (a, b, c);
    Ok(N)
}

#[governed]
async fn opaque(a: impl IntoIterator<Item = u8> + serde::Serialize) -> Answer<impl Iterator<Item = u8>> {
    Ok(a.into_iter())
}

#[governed]
async fn serializable() -> Answer<impl serde::Serialize> {
    Ok(1_u8)
}

#[governed]
async fn not_sync(a: std::cell::Cell<u8>) -> Answer<u8> {
    std::future::ready(()).await;
    Ok(a.get())
}

#[governed]
async fn r#type(r#match: u8, größe: u8) -> Answer<u8> {
    Ok(r#match + größe)
}

#[governed]
fn future(a: u8) -> impl Future<Output = Answer<u8>> + Send {
    async move { Ok(a) }
}

#[governed]
fn boxed(a: &str) -> Pin<Box<dyn Future<Output = Answer<usize>> + Send + '_>> {
    Box::pin(async move { Ok(a.len()) })
}

#[governed(cancel = finish)]
async fn finish(a: String, #[governed(state)] b: Arc<Mutex<u8>>) -> Answer<usize> {
    let _ = b;
    Ok(a.len())
}

#[governed(no_tool)]
async fn own_state(a: String, #[governed(state)] b: &mut Vec<String>) -> Answer<()> {
    b.push(a);
    Ok(())
}

#[governed(tool = env_tool)]
async fn env(names: BTreeMap<String, String>) -> Answer<usize> {
    Ok(names.len())
}
mod env {}

#[governed]
async fn recursive(n: u8) -> Answer<u8> {
    if n == 0 { Ok(0) } else { Box::pin(recursive(n - 1)).await }
}

#[governed]
async fn inner_attribute(n: u8) -> Answer<u8> {
    #![allow(unused_variables)]
    let x = 1;
    Ok(n)
}

macro_rules! declare {
    ($name:ident, $ty:ty, $body:block) => {
        #[governed]
        async fn $name(a: $ty) -> Answer<$ty> {
            let _ = &a;
            $body
        }
    };
}
declare!(made, u8, { Ok(1) });

trait Post {
    async fn post(&self, to: &str) -> Answer<usize>;
    fn posted(&self, to: &str) -> impl Future<Output = Answer<usize>> + Send;
    #[governed]
    async fn default(&self, to: &str) -> Answer<usize> {
        Ok(to.len())
    }
}

struct Office<T>(T);

#[governed]
impl<T: Send + Sync> Post for Office<T> {
    #[governed]
    async fn post(&self, to: &str) -> Answer<usize> {
        Ok(to.len())
    }
    #[governed]
    async fn posted(&self, to: &str) -> Answer<usize> {
        Ok(to.len())
    }
}

#[governed(tools = more_tools)]
impl<T: std::fmt::Display + Send + Sync + serde::Serialize> Office<T> {
    const ROOMS: [u8; { let n = 1; n + 1 }] = [1, 2];

    #[governed]
    pub async fn show(&self) -> Answer<String> {
        Ok(self.0.to_string())
    }
    #[governed(risk = critical, include(self = self.0))]
    async fn named_self(&self, n: u8) -> Answer<u8> {
        Ok(n)
    }
    #[governed]
    async fn consume(self) -> Answer<T> {
        Ok(self.0)
    }
    #[governed]
    async fn mutable(mut self: Box<Self>, other: T) -> Answer<()> {
        self.0 = other;
        Ok(())
    }
    #[governed(tool = just_one)]
    async fn one(self: &Arc<Self>) -> Answer<u8> {
        Ok(1)
    }
    #[cfg(any())]
    #[governed]
    async fn absent(&self, x: Absent) -> Answer<u8> {
        Ok(1)
    }
    #[governed(blocking)]
    fn sync(&self, a: &u8) -> Answer<u8> {
        Ok(*a)
    }
    #[governed]
    async fn associated(n: u8) -> Answer<u8> {
        Ok(n)
    }
    pub fn plain(&self) -> &T {
        &self.0
    }
    pub fn array(&self) -> [u8; { let n = 1; n + 1 }] where T: Sized {
        Self::ROOMS
    }
}

#[governed]
impl Office<()> {
    #[governed]
    async fn another(&self) -> Answer<()> {
        Ok(())
    }
}

fn is_send<T: Send>(_: T) {}

fn main() {
    is_send(several_elided("", &[], "".into(), "".into()));
    is_send(not_sync(Default::default()));
    let office = Arc::new(Office(1_u8));
    assert_eq!(office.more_tools().len(), 5);
    assert_eq!(office.just_one().name(), "one");
    assert_eq!(Arc::new(Office(())).tools().len(), 1);
    let _ = (generic::tool::<u8, 3>(), r#type::tool(), env_tool::tool(), made::tool(), options::tool(), named::tool());
    let _ = (future::tool(), boxed::tool(), finish::tool(), serializable::tool(), several_elided::tool());

    #[governed]
    async fn local(n: u8) -> Answer<u8> {
        Ok(n)
    }
    let _ = local::tool();
}
