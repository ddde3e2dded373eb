//! Approved with other arguments: what runs is what was signed and judged, once, and the model is told.

use std::sync::{Arc, Mutex};

use managed_agents::approval::{ApproverKey, StatementKind, TicketState};
use managed_agents::home::Choice;
use managed_agents::{
    Answer, GovernanceDenied, GovernedBy as _, Governor, GovernorError, Harness, Judgement, Reason, ToolCall,
    ToolStatus, Toolbox, Verdict, assert_denied, assert_escalated, governed,
};

use crate::support::Shop;

/// What ran.
static RAN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Wires money.
#[governed(risk = high, exact, redact(memo), target = format!("account:{to}"))]
async fn wire(
    run: &str,
    to: String,
    #[governed(range = 1..=1_000)] cents: u64,
    memo: Option<&str>,
) -> Result<String, GovernanceDenied> {
    RAN.lock().unwrap().push(format!("{run} {to} {cents} {memo:?}"));
    Ok(format!("{to} has {cents}"))
}

/// Judges by a function.
struct By<F>(F);

impl<F: Fn(&ToolCall) -> Verdict + Send + Sync + 'static> Governor for By<F> {
    fn name(&self) -> &str {
        "by a function"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        Answer::ready(Ok((self.0)(call).into()))
    }
}

/// What ran under this name.
fn ran(run: &str) -> Vec<String> {
    let ran = RAN.lock().unwrap();
    ran.iter()
        .filter_map(|one| one.strip_prefix(run))
        .map(|one| one.trim().to_owned())
        .collect()
}

async fn wait_for(bot: &Harness, run: &str, cents: u64) -> String {
    let denied = assert_escalated!(make(bot, run, cents).await);
    denied.ticket().unwrap().to_owned()
}

async fn make(bot: &Harness, run: &str, cents: u64) -> Result<String, GovernanceDenied> {
    wire(run, "bob".to_owned(), cents, Some("s3cret"))
        .governed_by(bot)
        .await
}

#[tokio::test]
async fn an_edited_call_runs_once_with_what_was_signed_and_everything_else_stays() {
    let shop = Shop::new("edited");
    let bot = shop.harness(|builder| builder);
    let ticket = wait_for(&bot, "once", 500).await;
    assert!(shop.ticket(&ticket).shown().unwrap().editable);
    assert!(bot.pending()[0].is_editable());
    shop.decide(&ticket, &Choice::edit(r#" { "cents" : 5 , "to": "ann" } "#));
    assert_eq!(shop.state(&ticket), TicketState::Edited);
    assert_eq!(shop.ticket(&ticket).edit(), Some(r#"{"cents":5,"to":"ann"}"#));
    // another value does not ride on it, that which was signed least of all
    assert_escalated!(make(&bot, "once", 501).await);
    assert_escalated!(
        wire("once", "ann".to_owned(), 5, Some("s3cret"))
            .governed_by(&bot)
            .await
    );
    assert_eq!(ran("once"), Vec::<String>::new());
    assert_eq!(make(&bot, "once", 500).await.unwrap(), "ann has 5");
    assert_eq!(
        ran("once"),
        [r#"ann 5 Some("s3cret")"#],
        "what was hidden from the approver stays"
    );
    assert_eq!(shop.state(&ticket), TicketState::Consumed);
    assert_ne!(wait_for(&bot, "once", 500).await, ticket);
    assert_eq!(ran("once").len(), 1);
    // both versions are recorded, and belong together
    drop(bot);
    let entries = shop.sound();
    let of_ticket: Vec<_> = entries
        .iter()
        .filter(|entry| entry.untrusted("ticket").is_some_and(|id| id.reveal() == ticket))
        .collect();
    let dispositions: Vec<_> = of_ticket
        .iter()
        .filter_map(|entry| entry.disposition())
        .map(|word| word.reveal().to_owned())
        .collect();
    assert_eq!(dispositions, ["queued", "approved"]);
    let digests: std::collections::HashSet<_> = of_ticket
        .iter()
        .filter_map(|entry| entry.untrusted("digest"))
        .map(|digest| digest.reveal().to_owned())
        .collect();
    assert_eq!(digests.len(), 2);
    let stated = entries
        .iter()
        .find(|entry| entry.kind() == "approval")
        .unwrap()
        .raw("body")
        .unwrap()
        .to_owned();
    assert!(
        stated.contains(r#""kind":"edit""#) && stated.contains("cents"),
        "{stated}"
    );
    assert!(!stated.contains("ann\""), "no value stands in the log: {stated}");
    // nothing of it is left beside the log
    let db = rusqlite::Connection::open(shop.place.data().join("record.db")).unwrap();
    let left: i64 = db
        .query_row("SELECT count(*) FROM edits", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn the_model_is_told_what_was_changed_and_nothing_that_is_redacted() {
    let shop = Shop::new("told");
    let bot = shop.harness(|builder| builder);
    let toolbox = Toolbox::new().harness(&bot).tool(wire::tool()).build().unwrap();
    let call = r#"{"run":"told","to":"bob","cents":500,"memo":"s3cret"}"#;
    let waits = toolbox.call("wire", call).await;
    let ticket = waits.denial().unwrap().ticket().unwrap().to_owned();
    shop.decide(&ticket, &Choice::edit(r#"{"cents":7,"memo":"hush"}"#));
    let done = toolbox.call("wire", call).await;
    assert_eq!(done.status(), ToolStatus::Done);
    assert_eq!(
        done.edited(),
        Some(
            "a person approved this call with other arguments, and it ran with those: `cents` is 7 in place of 500; `memo` is another"
        )
    );
    assert!(
        done.text().starts_with('[') && done.text().ends_with("\nbob has 7"),
        "{}",
        done.text()
    );
    assert_eq!(ran("told"), [r#"bob 7 Some("hush")"#]);
}

#[tokio::test]
async fn only_what_is_exact_is_edited_and_only_with_arguments_that_there_are() {
    let shop = Shop::new("unfit");
    let bot = shop.harness(|builder| builder);
    let loose = assert_escalated!(shop.pay(&bot, "bob", 5).await);
    let home = shop.home();
    let code = |ticket: &str, edit: &str| {
        let error = home.decide(ticket, &Choice::edit(edit), &shop.ann).unwrap_err();
        error.code()
    };
    assert_eq!(code(loose.ticket().unwrap(), r#"{"cents":4}"#), "not_editable");
    let ticket = wait_for(&bot, "unfit", 500).await;
    for edit in [
        "{}",
        "4",
        "{",
        r#"{"amount":4}"#,
        r#"{"memo":"[redacted]"}"#,
        r#"{"cents":4,"cents":5}"#,
    ] {
        assert_eq!(code(&ticket, edit), "unfit_edit", "{edit}");
    }
    assert_eq!(shop.state(&ticket), TicketState::Pending);
    // of another type, or out of range: found when the call is made again, since only the program knows its types
    shop.decide(&ticket, &Choice::edit(r#"{"cents":"five"}"#));
    let denied = assert_denied!(make(&bot, "unfit", 500).await, "edit_unfit");
    assert!(denied.reason_for_model().contains("`cents`"), "{denied}");
    assert_eq!(shop.state(&ticket), TicketState::Cancelled);
    let ticket = wait_for(&bot, "unfit", 500).await;
    shop.decide(&ticket, &Choice::edit(r#"{"cents":1001}"#));
    let denied = assert_denied!(make(&bot, "unfit", 500).await, "edit_unfit");
    assert!(denied.reason_for_model().contains("1..=1_000"), "{denied}");
    assert_eq!(ran("unfit"), Vec::<String>::new());
    drop((bot, home));
    shop.sound();
}

#[tokio::test]
async fn the_edited_call_is_judged_anew_and_must_raise_nothing_that_was_not_shown() {
    let shop = Shop::new("edit-judged");
    let ask = |code: &'static str| Verdict::escalate(Reason::new(code, "ask"));
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let calls = Arc::clone(&seen);
    let governor = By(move |call: &ToolCall| {
        calls
            .lock()
            .unwrap()
            .push(format!("{} {}", call.arguments(), call.target()));
        match call.reveal_arguments() {
            json if json.contains(r#""cents":1,"#) => Verdict::deny(Reason::new("closed", "not that")),
            json if json.contains(r#""cents":2,"#) => ask("two"),
            json if json.contains(r#""cents":3,"#) => Verdict::allow(),
            json if json.contains(r#""cents":4,"#) => ask("one").restricted_by(ask("one")),
            _ => ask("one"),
        }
    });
    let bot = shop.harness(|builder| builder.governor(governor));
    let edited = async |cents: u64| {
        let ticket = wait_for(&bot, "judged", 500).await;
        shop.decide(&ticket, &Choice::edit(format!(r#"{{"cents":{cents},"to":"ann"}}"#)));
        let made = make(&bot, "judged", 500).await;
        (made, shop.state(&ticket))
    };
    let (denied, state) = edited(1).await;
    let denied = assert_denied!(denied, "changed_since_approval");
    assert_eq!(state, TicketState::Cancelled, "{denied}");
    let (denied, state) = edited(2).await;
    assert_denied!(denied, "edit_not_covered");
    assert_eq!(state, TicketState::Cancelled);
    assert_eq!(ran("judged"), Vec::<String>::new());
    for cents in [3, 4, 9] {
        let (made, state) = edited(cents).await;
        assert_eq!(made.unwrap(), format!("ann has {cents}"));
        assert_eq!(state, TicketState::Consumed);
    }
    assert_eq!(ran("judged").len(), 3);
    // what it is aimed at is told anew
    let last = seen.lock().unwrap().pop().unwrap();
    assert_eq!(
        last,
        r#"{"cents":9,"memo":"[redacted]","run":"judged","to":"ann"} account:ann"#
    );
    drop(bot);
    shop.sound();
}

#[tokio::test]
async fn several_people_approve_the_same_edit_or_none_counts() {
    let shop = Shop::new("edit-k-of-n");
    let two = Verdict::escalate(Reason::new("ask", "ask").with_approvers(2));
    let governor = By(move |_: &ToolCall| two.clone());
    let bot = shop.harness(|builder| builder.governor(governor));
    let (home, bob) = (shop.home(), ApproverKey::generate().unwrap());
    home.enrol_approver("bob", bob.public(), false, &shop.ann).unwrap();
    let ticket = wait_for(&bot, "two", 500).await;
    shop.decide(&ticket, &Choice::edit(r#"{"cents":5}"#));
    assert_eq!(shop.state(&ticket), TicketState::Pending);
    let code = |choice: &Choice| home.decide(&ticket, choice, &bob).unwrap_err().code();
    assert_eq!(code(&Choice::approve()), "edited_otherwise");
    assert_eq!(code(&Choice::edit(r#"{"cents":6}"#)), "edited_otherwise");
    home.decide(&ticket, &Choice::edit(r#"{ "cents": 5 }"#), &bob).unwrap();
    assert_eq!(shop.state(&ticket), TicketState::Edited);
    assert_eq!(make(&bot, "two", 500).await.unwrap(), "bob has 5");
    drop((bot, home));
    shop.sound();
}

/// Law 8: what a thief of the database changes of an edit lets nothing run.
#[tokio::test]
async fn an_edit_that_nobody_signed_lets_nothing_run() {
    let shop = Shop::new("edit-forged");
    let bot = shop.harness(|builder| builder);
    // the box of another ticket's edit
    let (mine, other) = (wait_for(&bot, "forged", 500).await, wait_for(&bot, "forged", 400).await);
    shop.decide(&mine, &Choice::edit(r#"{"cents":5}"#));
    shop.decide(&other, &Choice::edit(r#"{"cents":999}"#));
    shop.sql(&format!(
        "UPDATE edits SET (nonce, box) = (SELECT e.nonce, e.box FROM edits e JOIN tickets t ON t.place = e.ticket WHERE t.id = '{other}') \
         WHERE ticket = (SELECT place FROM tickets WHERE id = '{mine}')"
    ));
    assert!(shop.problems().contains(&"ticket_differs".to_owned()));
    assert_denied!(make(&bot, "forged", 500).await, "approval_forged");
    // a plain approval made an edit of, and the other way about
    let plain = wait_for(&bot, "forged", 300).await;
    shop.approve(&plain);
    shop.sql(&format!(
        "INSERT INTO edits SELECT (SELECT place FROM tickets WHERE id = '{plain}'), nonce, box FROM edits; \
         UPDATE tickets SET state = 'edited' WHERE id = '{plain}'; UPDATE bound SET state = 'edited'"
    ));
    assert_denied!(make(&bot, "forged", 300).await, "approval_forged");
    shop.sql(&format!(
        "DELETE FROM edits; UPDATE tickets SET state = 'approved' WHERE id = '{other}'; UPDATE bound SET state = 'approved'"
    ));
    assert_denied!(make(&bot, "forged", 400).await, "approval_forged");
    assert_eq!(ran("forged"), Vec::<String>::new());
}

#[tokio::test]
async fn an_erased_subject_leaves_nothing_of_an_edit() {
    let shop = Shop::new("edit-erased");
    let bot = shop.harness(|builder| builder);
    let ticket = wait_for(&bot, "erased", 500).await;
    shop.decide(&ticket, &Choice::edit(r#"{"to":"rambutan-1234"}"#));
    shop.home().erase_signed("shop", &shop.ann).unwrap().unwrap();
    assert_eq!(shop.state(&ticket), TicketState::Cancelled);
    assert_eq!(shop.ticket(&ticket).edit(), None);
    assert_escalated!(make(&bot, "erased", 500).await);
    assert_eq!(
        shop.home().orders(StatementKind::Edit).unwrap().len(),
        1,
        "the signature stays, and says no value"
    );
    drop(bot);
    shop.sound();
    for entry in std::fs::read_dir(shop.place.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(13).any(|part| part == b"rambutan-1234"),
                "{}",
                path.display()
            );
        }
    }
}
