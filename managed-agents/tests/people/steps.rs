//! Killed at each write in turn: whatever was written before it, an approval runs at most one body, and never silently.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use managed_agents::approval::TicketState;
use managed_agents::store::TicketQuery;

use crate::crowd::{said, start};
use crate::support::Shop;

/// What writes.
const WRITES: &str = "write,pwrite64,pwritev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat";

/// A process that is killed when one of its threads is about to write for the `n`th time from here on; none where nothing can be
/// watched.
pub(crate) fn watched(child: &Child, n: usize) -> Option<Child> {
    let mut watcher = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", &format!("trace={WRITES}"), "-e"])
        .arg(format!("inject={WRITES}:signal=SIGKILL:when={n}"))
        .args(["-p", &child.id().to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(watcher.stderr.take()?).lines();
    // said once, of all threads that there are
    if !lines.any(|line| line.is_ok_and(|line| line.contains("attached"))) {
        let _ = watcher.wait();
        return None;
    }
    // whatever else it says is read by nobody, and must not stop it
    std::thread::spawn(move || lines.for_each(drop));
    Some(watcher)
}

/// What the operator is shown of a ticket.
fn shown(shop: &Shop, ticket: &str) -> Option<String> {
    let program = option_env!("CARGO_BIN_EXE_managed-agents")?;
    let done = Command::new(program)
        .args(["approvals", "show", ticket, "--data-dir"])
        .arg(shop.place.data())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8(done.stdout).unwrap())
}

#[test]
fn whichever_write_is_the_last_an_approval_runs_at_most_once_and_never_silently() {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for n in 1.. {
        let shop = Shop::new("stepped");
        let mut child = start("step", &shop);
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(out.any(|line| line.unwrap() == "READY"));
        let Some(mut watcher) = watched(&child, n) else {
            child.kill().unwrap();
            child.wait().unwrap();
            println!("skipped: there is no `strace` here, or it may watch nothing");
            return;
        };
        std::fs::write(shop.place.path().join("go"), "").unwrap();
        let lines: Vec<String> = out.map_while(Result::ok).collect();
        let survived = child.wait().unwrap().success();
        watcher.wait().unwrap();

        // whoever opens the record next closes what was running
        drop(shop.home());
        shop.sound();
        let tickets = shop.reader().tickets(&TicketQuery::all()).unwrap();
        let ticket = tickets.first();
        let state = ticket.map(managed_agents::store::Ticket::state);
        let bodies = said(&lines, "BODY").count();
        let outcome = ticket.and_then(|ticket| ticket.ran()).map(|ran| {
            let entries = shop.reader().entries(0, usize::MAX).unwrap();
            let ended = entries
                .iter()
                .find(|entry| entry.about() == Some(ran.get()) && entry.outcome().is_some());
            ended.unwrap().outcome().unwrap().reveal().to_owned()
        });
        // a body that began used up its approval before, and what the operator is told of it is never that nothing ran
        assert!(tickets.len() <= 1 && bodies <= 1);
        assert!(bodies == 0 || state == Some(TicketState::Consumed), "{n}: {lines:?}");
        assert!(
            said(&lines, "APPROVED").count() == 0
                || matches!(state, Some(TicketState::Approved | TicketState::Consumed))
        );
        assert!(said(&lines, "OPENED").count() == 0 || ticket.is_some());
        if outcome.as_deref() == Some("unknown")
            && let Some(shown) = shown(&shop, ticket.unwrap().id())
        {
            assert!(shown.contains("consumed, outcome unknown"), "{shown}");
        }
        let end = match (state, &outcome) {
            (Some(state), Some(outcome)) => format!("{state}, outcome {outcome}"),
            (Some(state), None) => state.to_string(),
            (None, _) => "nothing".to_owned(),
        };
        *ends.entry(end).or_default() += 1;

        // made again: what was approved and not used runs now, and nothing else does
        std::fs::write(shop.place.path().join("ids"), "step").unwrap();
        let again = start("again", &shop).wait_with_output().unwrap();
        let again: Vec<String> = String::from_utf8(again.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        let more = said(&again, "BODY").count();
        assert_eq!(
            more,
            usize::from(state == Some(TicketState::Approved)),
            "{n}: {again:?}"
        );
        shop.sound();
        if survived {
            println!("killed at each of {} writes, one after another: {ends:?}", n - 1);
            break;
        }
    }
    for end in [
        "nothing",
        "pending",
        "approved",
        "consumed, outcome unknown",
        "consumed, outcome ok",
    ] {
        assert!(ends.contains_key(end), "no write was the last before `{end}`: {ends:?}");
    }
}
