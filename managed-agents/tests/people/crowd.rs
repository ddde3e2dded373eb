//! Many processes, and killed ones: an approval runs at most one body, and never silently.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use managed_agents::approval::{ApproverKey, TicketState};
use managed_agents::audit::Sequence;
use managed_agents::store::TicketQuery;
use managed_agents::{GovernanceDenied, GovernedBy as _, governed};

use crate::support::{Shop, harness};

const ROLE: &str = "MANAGED_AGENTS_TEST_ROLE";
const PLACE: &str = "MANAGED_AGENTS_TEST_PLACE";
const OPERATOR: &str = "MANAGED_AGENTS_TEST_OPERATOR";

/// Says that its body has begun.
#[governed(risk = high)]
async fn announce(id: &str) -> Result<usize, GovernanceDenied> {
    say(&format!("BODY {id}"));
    // long enough to be killed in it
    tokio::time::sleep(Duration::from_millis(2)).await;
    Ok(id.len())
}

/// One line in one write, so that a killed process leaves no half of one but the last.
fn say(line: &str) {
    std::io::stdout()
        .lock()
        .write_all(format!("\n{line}\n").as_bytes())
        .unwrap();
}

/// The approver of these tests, whose key the processes know: they play both sides.
pub(crate) fn ann() -> ApproverKey {
    ApproverKey::from_bytes(&[9; 32])
}

/// Not a test of its own: what the other processes run.
#[test]
fn a_process_of_its_own() {
    let (Ok(role), Ok(place)) = (std::env::var(ROLE), std::env::var(PLACE)) else {
        return;
    };
    let place = Path::new(&place).to_owned();
    let bot = harness(&place, &std::env::var(OPERATOR).unwrap(), |builder| {
        builder.approver("ann", ann().public())
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        match role.as_str() {
            "race" => {
                say("READY");
                while !place.join("go").exists() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let racers: Vec<_> = (0..250).map(|_| bot.spawn(announce("the one"))).collect();
                let mut told = HashMap::new();
                for racer in racers {
                    let code = match racer.await.unwrap() {
                        Ok(_) => "ran".to_owned(),
                        Err(denied) => denied.code().to_owned(),
                    };
                    *told.entry(code).or_insert(0) += 1;
                }
                say(&format!("TOLD {told:?}"));
            }
            "again" => {
                for id in std::fs::read_to_string(place.join("ids")).unwrap().lines() {
                    let code = announce(id)
                        .governed_by(&bot)
                        .await
                        .map_or_else(|denied| denied.code().to_owned(), |_| "ran".to_owned());
                    say(&format!("AGAIN {id} {code}"));
                }
            }
            // opens, approves and redeems one call, once somebody watches
            "step" => {
                say("READY");
                while !place.join("go").exists() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let denied = announce("step").governed_by(&bot).await.unwrap_err();
                say("OPENED step");
                bot.approve(denied.ticket().unwrap(), &ann()).unwrap();
                say("APPROVED step");
                announce("step").governed_by(&bot).await.unwrap();
                say("ENDED step");
                bot.home().unwrap().store().flush().await.unwrap();
            }
            // decides on whatever comes, a while after it came
            "decide" => {
                let home = bot.home().unwrap().clone();
                let mut left = 20;
                say("READY");
                while left > 0 {
                    let Some(ticket) = bot.pending().pop() else {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        continue;
                    };
                    // whoever waits for it is asleep by now
                    tokio::time::sleep(Duration::from_millis(60)).await;
                    home.store().flush().await.unwrap();
                    tokio::task::block_in_place(|| bot.approve(ticket.id(), &ann())).unwrap();
                    let now = std::time::SystemTime::now()
                        .duration_since(std::time::UNIX_EPOCH)
                        .unwrap();
                    say(&format!("DECIDED {}", now.as_micros()));
                    left -= 1;
                }
            }
            // opens, approves and redeems, one call after another
            _ => {
                for number in 0.. {
                    let id = format!("{role}-{number}");
                    let denied = announce(&id).governed_by(&bot).await.unwrap_err();
                    let ticket = denied.ticket().unwrap().to_owned();
                    say(&format!("OPENED {id}"));
                    bot.approve(&ticket, &ann()).unwrap();
                    say(&format!("APPROVED {id}"));
                    announce(&id).governed_by(&bot).await.unwrap();
                    say(&format!("ENDED {id}"));
                }
            }
        }
    });
    drop(bot);
    say("END");
}

pub(crate) fn start(role: &str, shop: &Shop) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crowd::a_process_of_its_own",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ROLE, role)
        .env(PLACE, shop.place.path())
        .env(OPERATOR, &shop.operator)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Every line that the process has said, until it ends.
pub(crate) fn listen(child: &mut Child) -> std::thread::JoinHandle<Vec<String>> {
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).collect())
}

pub(crate) fn said<'a>(lines: &'a [String], word: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    lines
        .iter()
        .filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '))
}

#[test]
fn of_a_thousand_redemptions_in_four_processes_one_runs() {
    let shop = Shop::new("thousand");
    let bot = shop.harness(|builder| builder);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let denied = runtime.block_on(announce("the one").governed_by(&bot)).unwrap_err();
    shop.approve(denied.ticket().unwrap());
    drop(bot);
    let mut racers: Vec<_> = (0..4).map(|_| start("race", &shop)).collect();
    let heard: Vec<_> = racers.iter_mut().map(listen).collect();
    std::thread::sleep(Duration::from_millis(1500));
    std::fs::write(shop.place.path().join("go"), "").unwrap();
    let mut bodies = 0;
    for (mut racer, heard) in racers.into_iter().zip(heard) {
        let lines = heard.join().unwrap();
        assert!(racer.wait().unwrap().success());
        bodies += said(&lines, "BODY").count();
        println!("{:?}", said(&lines, "TOLD").collect::<Vec<_>>());
    }
    assert_eq!(bodies, 1);
    let entries = shop.sound();
    let approved = entries
        .iter()
        .filter(|entry| entry.disposition().is_some_and(|word| word.reveal() == "approved"));
    assert_eq!(approved.count(), 1);
}

/// `MANAGED_AGENTS_KILLS` says how often; 200 takes some minutes.
#[test]
fn whatever_is_killed_an_approval_runs_at_most_once_and_never_silently() {
    let rounds = std::env::var("MANAGED_AGENTS_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(12_u64);
    let (mut unknown, mut cut) = (0, HashMap::new());
    for round in 0..rounds {
        let shop = Shop::new("killed");
        let mut child = start(&format!("r{round}"), &shop);
        let heard = listen(&mut child);
        // from before its first ticket to somewhere within one
        std::thread::sleep(Duration::from_micros(250_000 + 1_733 * (round * 37 % 97)));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = heard.join().unwrap();
        let count = |word: &str| said(&lines, word).count();
        let state = (
            count("OPENED") - count("APPROVED"),
            count("APPROVED") - count("ENDED"),
            count("BODY") - count("ENDED"),
        );
        *cut.entry(state).or_insert(0) += 1;
        // whoever opens the record next closes what was running
        drop(shop.home());
        let entries = shop.sound();
        let outcomes: HashMap<u64, String> = entries
            .iter()
            .filter_map(|entry| Some((entry.about()?, entry.outcome()?.reveal().to_owned())))
            .collect();
        let tickets = shop.reader().tickets(&TicketQuery::all()).unwrap();
        let consumed: Vec<_> = tickets
            .iter()
            .filter(|ticket| ticket.state() == TicketState::Consumed)
            .collect();
        for ticket in &consumed {
            let ran = ticket.ran().map(Sequence::get).unwrap();
            let outcome = &outcomes[&ran];
            assert!(matches!(outcome.as_str(), "ok" | "unknown"), "{outcome}");
            unknown += u32::from(outcome == "unknown");
        }
        let bodies: Vec<_> = said(&lines, "BODY").collect();
        assert!(
            bodies.len() <= consumed.len(),
            "every body that began used up its approval"
        );
        let once: HashSet<_> = bodies.iter().collect();
        assert_eq!(once.len(), bodies.len(), "no body ran twice");
        // made again, what was used waits anew; what was approved and not used runs now
        std::fs::write(shop.place.path().join("ids"), bodies.join("\n")).unwrap();
        let mut again = start("again", &shop);
        let heard = listen(&mut again);
        assert!(again.wait().unwrap().success());
        let lines = heard.join().unwrap();
        assert_eq!(said(&lines, "BODY").count(), 0, "{lines:?}");
    }
    println!(
        "{rounds} kills: {unknown} approvals consumed with unknown outcome; cut at (opened, approved, body) {cut:?}"
    );
}
