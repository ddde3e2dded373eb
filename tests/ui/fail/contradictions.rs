use managed_agents::{GovernanceDenied, governed};

#[governed(redact(a), skip(a))]
async fn redact_and_skip(a: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

#[governed(read_only, irreversible)]
async fn read_only_and_irreversible(a: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

#[governed(irreversible, reversible)]
async fn both_ways(a: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

#[governed(irreversible, compensate = undo)]
async fn undone(a: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

#[governed(timeout = "1s", blocking, cancel = finish)]
fn unstoppable(a: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

#[governed(no_tool, tool = other)]
async fn no_tool_named(a: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

#[governed(exact)]
async fn exact_state(a: u8, #[governed(state)] db: &u8) -> Result<u8, GovernanceDenied> {
    Ok(a + db)
}

#[governed(exact, skip(a))]
async fn exact_skip(a: u8) -> Result<u8, GovernanceDenied> {
    Ok(a)
}

#[governed]
async fn state_range(#[governed(state, range = 1..2)] a: &u8) -> Result<u8, GovernanceDenied> {
    Ok(*a)
}

#[governed(redact(a), skip(b))]
async fn state_redacted(#[governed(state)] a: &u8, #[governed(state)] b: &u8) -> Result<u8, GovernanceDenied> {
    Ok(*a + *b)
}

fn main() {}
