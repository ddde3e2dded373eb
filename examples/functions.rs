//! Plain functions under `#[governed]`: called as ever, and judged before their bodies run.
//!
//! Shows what a tool declares of itself and what comes of it with no policy written, how a refusal arrives in the caller's
//! own error type, and that without a harness nothing runs.

use examples::{Outcome, show};
use managed_agents::{GovernanceDenied, Harness, governed};
use show::{Colour, paint};

/// The program's own error; a refusal is one more way to fail.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("`{0}` is no address")]
    Address(String),
    #[error("not sent")]
    Refused(#[from] GovernanceDenied),
}

/// Count the words of a text.
#[governed(risk = low, read_only)]
async fn count_words(text: &str) -> Result<usize, GovernanceDenied> {
    Ok(text.split_whitespace().count())
}

/// Save a draft.
#[governed]
async fn save_draft(to: &str, text: String) -> Result<String, MailError> {
    if !to.contains('@') {
        return Err(MailError::Address(to.to_owned()));
    }
    Ok(format!("{} bytes for {to}", text.len()))
}

/// Send a mail.
#[governed(risk = medium, irreversible)]
async fn send_mail(to: &str, text: String) -> Result<(), MailError> {
    println!("  (sending {} bytes to {to})", text.len());
    Ok(())
}

/// Wipe a mailbox; synchronous.
#[governed(risk = critical, blocking)]
fn wipe(mailbox: &str) -> Result<(), GovernanceDenied> {
    println!("  (wiping {mailbox})");
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    show::heading("Without a harness");
    match count_words("to be or not to be").await {
        Ok(count) => println!("  {count} words"),
        Err(denied) => println!("  {} {denied}", paint(Colour::Red, "refused:")),
    }

    let harness = Harness::builder().in_memory().agent_id("secretary").build().await?;
    show::heading("In the scope of a harness");
    harness
        .scope(async {
            let text = "to be or not to be".to_owned();
            println!("  count_words: {:?}", count_words(&text).await.ok());
            println!(
                "  save_draft:  {:?}",
                save_draft("ann@example.com", text.clone()).await.ok()
            );
            // a body's own error is the caller's, as without governance
            if let Err(error) = save_draft("ann", text.clone()).await {
                println!("  save_draft:  {error}");
            }
            // a refusal comes as the caller's own error type
            if let Err(MailError::Refused(denied)) = send_mail("ann@example.com", text).await {
                println!("  send_mail:   {:?} ({})", denied.kind(), denied.code());
            }
            if let Err(denied) = wipe("inbox") {
                println!("  wipe:        {:?} ({})", denied.kind(), denied.code());
            }
        })
        .await;

    show::heading("The record");
    show::records(&harness);
    println!(
        "\n  tools that declare nothing of themselves: {:?}",
        harness.undeclared()
    );
    Ok(())
}
