use managed_agents::{GovernanceDenied, governed};

#[derive(serde::Serialize)]
struct NotForModels;

#[governed]
async fn not_decodable(a: NotForModels) -> Result<u8, GovernanceDenied> {
    let _ = a;
    Ok(1)
}

#[governed]
async fn mutable(a: &mut u8) -> Result<u8, GovernanceDenied> {
    Ok(*a)
}

#[governed]
async fn nested(a: (&str, u8)) -> Result<usize, GovernanceDenied> {
    Ok(a.0.len())
}

#[governed]
async fn stream() -> Result<impl Iterator<Item = u8>, GovernanceDenied> {
    Ok([1].into_iter())
}

struct Unshown;

#[governed]
async fn value_not_shown() -> Result<Unshown, GovernanceDenied> {
    Ok(Unshown)
}

fn main() {
    let _ = not_decodable::tool();
    let _ = mutable::tool();
    let _ = nested::tool();
    let _ = stream::tool();
    let _ = value_not_shown::tool();
}
