use managed_agents::{governed, GovernanceDenied, Tool};
use std::sync::Arc;

struct Smtp(String);
impl Smtp { fn account(&self) -> &str { &self.0 } }

/// Send an email to a customer.
#[governed(risk = high, irreversible, redact(body))]
async fn send_email(
    /// Recipient address.
    to: &str,
    subject: String,
    mut body: String,
    #[governed(state(id = smtp.account()))] smtp: &Smtp,
) -> Result<String, GovernanceDenied> {
    body.push('x');
    Ok(format!("{to} {subject} {body} {}", smtp.0))
}

#[governed(blocking, read_only)]
fn area(#[governed(range = 1..=10)] w: u64, h: &u64, note: Option<&str>) -> Result<u64, GovernanceDenied> {
    let _ = note;
    Ok(w * h)
}

#[governed(exact)]
async fn exact(mut a: String, b: &[&str], c: Option<&u8>) -> Result<String, GovernanceDenied> {
    a.push('!');
    Ok(format!("{a}{b:?}{c:?}"))
}

#[governed]
async fn generic<T: serde::Serialize + std::fmt::Debug, const N: usize>(x: T, y: impl Into<String> + serde::Serialize) -> Result<String, GovernanceDenied> where T: Clone {
    Ok(format!("{x:?}{N}{}", y.into()))
}

#[governed]
async fn not_for_models(x: &mut u8, f: &dyn erased) -> Result<(), GovernanceDenied> { *x += 1; let _ = f; Ok(()) }
#[allow(non_camel_case_types)]
trait erased {}
impl serde::Serialize for dyn erased + '_ { fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_unit() } }

#[derive(serde::Serialize)]
struct Mailer { from: String }
#[governed]
impl Mailer {
    /// Sends.
    #[governed(risk = high, include(self), name = "mail.send", target = format!("mailto:{to}"))]
    pub async fn send(&self, to: &str) -> Result<String, GovernanceDenied> { Ok(format!("{}->{to}", self.from)) }
    #[governed]
    async fn shared(self: Arc<Self>, n: u8) -> Result<u8, GovernanceDenied> { Ok(n) }
    #[governed]
    async fn set(&mut self, from: String) -> Result<(), GovernanceDenied> { self.from = from; Ok(()) }
    #[governed]
    async fn free(n: u8) -> Result<u8, GovernanceDenied> { Ok(n) }
    pub fn plain(&self) -> u8 { 7 }
    const X: [u8; { 1 + 1 }] = [1, 2];
}

#[tokio::test]
async fn works() {
    let s = Smtp("acc".into());
    assert_eq!(send_email("a", "b".into(), "c".into(), &s).await.unwrap(), "a b cx acc");
    assert_eq!(area(2, &3, None).unwrap(), 6);
    assert_eq!(exact("a".into(), &["x"], None).await.unwrap(), "a![\"x\"]None");
    assert_eq!(generic::<_, 3>(1u8, "z").await.unwrap(), "13z");
    let mut x = 1;
    struct E; impl erased for E {}
    not_for_models(&mut x, &E).await.unwrap();
    let tool: Tool = send_email::tool();
    println!("{tool:?} {} {}", tool.description(), tool.input_schema());
    println!("{:?} {}", area::tool(), area::tool().input_schema());
    println!("{:?}", generic::tool::<u8, 3, String>());
    println!("{:?}", exact::tool().input_schema());
    let m = Arc::new(Mailer { from: "me".into() });
    println!("{:?} {:?}", m.tools(), m.send_tool());
    println!("{:?} {}", Mailer::X, m.plain());
    m.send("x").await.unwrap(); m.clone().shared(1).await.unwrap(); Mailer::free(1).await.unwrap();
    Mailer{from: String::new()}.set("y".into()).await.unwrap();
}
