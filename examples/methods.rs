//! Methods with state: a mailer whose methods are governed, and tools that need an account.
//!
//! What a governor judges are the arguments. A grave tool with `self` or injected state must say which one it acts on
//! (`include(self = …)`, `state(id = …)`): that identity is part of the judged call, so an approval for one account never
//! runs on another.
#![expect(clippy::indexing_slicing, reason = "a JSON value without the key is null")]

use std::sync::Arc;

use examples::{Outcome, show};
use managed_agents::testing::FakeGovernor;
use managed_agents::{Dialect, GovernanceDenied, Harness, Toolbox, Verdict, governed};
use serde_json::Value;

/// Sends mail from one address.
struct Mailer {
    from: String,
}

#[governed]
impl Mailer {
    /// Send a mail.
    #[governed(name = "mail.send", risk = high, include(self = self.from))]
    async fn send(
        &self,
        /// The recipient's address.
        to: &str,
    ) -> Result<String, GovernanceDenied> {
        Ok(format!("{} wrote to {to}", self.from))
    }

    /// Show the sender's address.
    #[governed(name = "mail.sender", risk = low, read_only)]
    async fn sender(&self) -> Result<String, GovernanceDenied> {
        Ok(self.from.clone())
    }
}

/// An account at a bank.
struct Account {
    number: &'static str,
}

/// Pay an invoice.
#[governed(risk = critical)]
async fn pay(
    invoice: u64,
    #[governed(state(id = account.number))] account: &Account,
) -> Result<String, GovernanceDenied> {
    Ok(format!("paid invoice {invoice} from {}", account.number))
}

#[tokio::main]
async fn main() -> Outcome {
    // a governor that allows everything and keeps what it was asked
    let governor = FakeGovernor::always(Verdict::allow());
    let harness = Harness::builder()
        .in_memory()
        .agent_id("office")
        .governor(governor.clone())
        .build()
        .await?;

    // a toolbox gives tools their receiver and their state
    let mailer = Arc::new(Mailer {
        from: "shop@example.com".to_owned(),
    });
    let toolbox = Toolbox::new()
        .harness(&harness)
        .tools(Mailer::tools(&mailer))
        .tool(pay::tool())
        .state(Account { number: "DE-1" })
        .build()?;

    show::heading("As a model sees them: no receiver, no state");
    for definition in toolbox.definitions(Dialect::Claude) {
        println!("  {} {}", definition["name"], definition["input_schema"]["properties"]);
    }

    show::heading("Called by name");
    for (name, json) in [
        ("mail_send", r#"{"to":"ann@example.com"}"#),
        ("mail_sender", "{}"),
        ("pay", r#"{"invoice":17}"#),
        ("pay", r#"{"invoice":"17"}"#),
    ] {
        println!("  {name}: {}", toolbox.call(name, json).await.text());
    }

    show::heading("Called as methods");
    println!("  {}", harness.scope(mailer.send("bob@example.com")).await?);
    println!("  {}", harness.scope(pay(17, &Account { number: "DE-2" })).await?);

    show::heading("What was judged: identities and arguments");
    for call in governor.calls() {
        let judged: Value = serde_json::from_slice(&call.reveal_canonical())?;
        println!(
            "  {:<12} ids {} arguments {}",
            call.tool(),
            judged["ids"],
            judged["arguments"]
        );
    }
    Ok(())
}
