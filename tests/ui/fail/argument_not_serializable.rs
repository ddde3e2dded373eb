use managed_agents::{GovernanceDenied, governed};

struct Db;

#[governed]
async fn query(sql: &str, db: &Db) -> Result<u64, GovernanceDenied> {
    let _ = (sql, db);
    Ok(1)
}

fn main() {}
