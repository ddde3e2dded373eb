//! How to test governed functions: the three questions a test asks, each with its tool from `managed_agents::testing`.
//!
//! Run as a program, it says what each of its tests shows; `cargo test -p examples --example testing` runs them.

use examples::{Outcome, show};
use managed_agents::testing::{FakeGovernor, dangerous_allow_all};
use managed_agents::{GovernanceDenied, Harness, Reason, Verdict, assert_denied, assert_escalated, governed};

/// Double a number.
#[governed(risk = low, read_only)]
async fn double(number: u32) -> Result<u32, GovernanceDenied> {
    Ok(number * 2)
}

/// Close an account.
#[governed(risk = high, irreversible)]
async fn close_account(id: u64) -> Result<String, GovernanceDenied> {
    Ok(format!("closed {id}"))
}

/// Does the body do its work? Nothing is judged; the record says so.
async fn the_body_works() -> Result<(), Box<dyn std::error::Error>> {
    let harness = dangerous_allow_all()?;
    assert_eq!(harness.scope(double(21)).await?, 42);
    assert_eq!(harness.scope(close_account(7)).await?, "closed 7");
    Ok(())
}

/// Is the tool declared as it should be? The true governor judges.
async fn the_declaration_holds() -> Result<(), Box<dyn std::error::Error>> {
    let harness = Harness::builder().in_memory().agent_id("test").build().await?;
    harness.scope(double(21)).await?;
    let denied = assert_escalated!(harness.scope(close_account(7)).await, "risk_high");
    assert_eq!(denied.tool(), Some("close_account"));
    Ok(())
}

/// What does my program do when it is refused, and what was judged? The governor plays a script.
async fn a_refusal_is_handled() -> Result<(), Box<dyn std::error::Error>> {
    let governor = FakeGovernor::new()
        .then(Verdict::deny(Reason::new("closed", "the shop is closed")))
        .then(Verdict::allow());
    let harness = Harness::builder()
        .in_memory()
        .agent_id("test")
        .governor(governor.clone())
        .build()
        .await?;
    assert_denied!(harness.scope(close_account(7)).await, "closed");
    assert_eq!(harness.scope(close_account(8)).await?, "closed 8");
    let judged: Vec<_> = governor
        .calls()
        .iter()
        .map(|call| call.reveal_arguments().to_owned())
        .collect();
    assert_eq!(judged, [r#"{"id":7}"#, r#"{"id":8}"#]);
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    show::heading("Three ways to test a governed function");
    the_body_works().await?;
    println!("  dangerous_allow_all()           the body alone: every call runs");
    the_declaration_holds().await?;
    println!("  Harness::builder().in_memory() + assert_…!  the verdict that the declaration leads to");
    a_refusal_is_handled().await?;
    println!("  FakeGovernor                    scripted verdicts, and the calls that were judged");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn the_body_works() {
        super::the_body_works().await.unwrap();
    }

    #[tokio::test]
    async fn the_declaration_holds() {
        super::the_declaration_holds().await.unwrap();
    }

    #[tokio::test]
    async fn a_refusal_is_handled() {
        super::a_refusal_is_handled().await.unwrap();
    }
}
