//! Webhooks against a receiver that fails, hangs and comes back: everything arrives, signed, and no call waits for it.
#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use managed_agents::home::Home;
use managed_agents::identity::{AgentState, Enrolment};
use managed_agents::store::StoreOptions;
use managed_agents::webhooks::{EventKind, Webhook, WebhookSecret, Webhooks};
use managed_agents::{AgentId, GovernanceDenied, Harness, governed};
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Pays money.
#[governed(risk = high, reversible, redact(card))]
async fn pay(to: &str, card: &str) -> Result<usize, GovernanceDenied> {
    Ok(to.len() + card.len())
}

/// Looks something up.
#[governed(risk = low, read_only)]
async fn look(at: &str) -> Result<usize, GovernanceDenied> {
    Ok(at.len())
}

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("webhooks-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn home(&self) -> Home {
        Home::open(
            StoreOptions::new(self.0.join("data"))
                .high_water(self.0.join("mark"))
                .origin("test.example/log"),
        )
        .unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a receiver does with the next request.
#[derive(Clone, Copy)]
enum Behaves {
    Answers(u16),
    /// Reads the request and hangs up.
    HangsUp,
    /// Answers too late.
    Dawdles(Duration),
}

#[derive(Clone, Debug)]
struct Received {
    headers: Vec<(String, String)>,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(found, _)| found == name).unwrap().1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
struct Receiver {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Mutex<VecDeque<Behaves>>>,
}

impl Receiver {
    /// Behaves so for each request in turn, and takes everything after that.
    fn new(script: &[Behaves]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            received: Arc::default(),
            script: Arc::new(Mutex::new(script.iter().copied().collect())),
        };
        let serving = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(&stream));
            }
        });
        receiver
    }

    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut lines = BufReader::new(stream.try_clone().ok()?);
        loop {
            let mut headers = Vec::new();
            let mut line = String::new();
            lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
            loop {
                line.clear();
                lines.read_line(&mut line).ok()?;
                let Some((name, value)) = line.trim_end().split_once(": ") else {
                    break;
                };
                headers.push((name.to_lowercase(), value.to_owned()));
            }
            let length = headers
                .iter()
                .find(|(name, _)| name == "content-length")?
                .1
                .parse()
                .ok()?;
            let mut body = vec![0; length];
            lines.read_exact(&mut body).ok()?;
            self.received.lock().unwrap().push(Received {
                headers,
                body: String::from_utf8(body).ok()?,
            });
            let next = self.script.lock().unwrap().pop_front().unwrap_or(Behaves::Answers(200));
            let status = match next {
                Behaves::Answers(status) => status,
                Behaves::HangsUp => return None,
                Behaves::Dawdles(time) => {
                    std::thread::sleep(time);
                    200
                }
            };
            let mut out = stream;
            write!(
                out,
                "HTTP/1.1 {status} X\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nok"
            )
            .ok()?;
        }
    }

    /// What was received once there are so many, or all when nothing more comes.
    fn wait_for(&self, count: usize) -> Vec<Received> {
        let begun = Instant::now();
        while self.received.lock().unwrap().len() < count && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.received.lock().unwrap().clone()
    }

    fn webhook(&self, name: &str) -> Webhook {
        Webhook::signed(name, &self.url, WebhookSecret::parse(SECRET).unwrap()).unwrap()
    }
}

const SOON: [Duration; 5] = [Duration::from_millis(30); 5];

fn registered(home: &Home) {
    home.register(&Enrolment::new(AgentId::parse("bot").unwrap())).unwrap();
}

/// No letter is left.
fn delivered(home: &Home) -> bool {
    let begun = Instant::now();
    let letters = Webhooks::letters(home.dir()).unwrap();
    while begun.elapsed() < Duration::from_secs(10) {
        if letters.all().unwrap().is_empty() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// With the package that receivers use, where it is installed.
fn verify_with_others(received: &[Received]) {
    let Some(python) = std::env::var_os("MANAGED_AGENTS_PYTHON_PAPERS") else {
        println!("skipped: MANAGED_AGENTS_PYTHON_PAPERS names no python with the package `standardwebhooks`");
        return;
    };
    let messages: Vec<Value> = received
        .iter()
        .map(|one| json!({ "headers": one.headers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(), "body": one.body }))
        .collect();
    let script = "
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
secret, messages = sys.argv[1], json.loads(sys.argv[2])
for message in messages:
    Webhook(secret).verify(message['body'], message['headers'])
    try:
        Webhook(secret).verify(message['body'].replace('agent', 'agemt'), message['headers'])
    except WebhookVerificationError:
        continue
    sys.exit('a changed body verifies')
print(len(messages), 'messages verified')
";
    let output = std::process::Command::new(python)
        .args(["-c", script, SECRET, &Value::from(messages).to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    println!("standardwebhooks agreed: {said}");
}

#[test]
fn what_a_receiver_fails_to_take_comes_again_with_the_same_id_until_it_is_taken() {
    let place = Place::new("again");
    let home = place.home();
    registered(&home);
    let receiver = Receiver::new(&[
        Behaves::Answers(500),
        Behaves::HangsUp,
        Behaves::Dawdles(Duration::from_millis(900)),
        Behaves::Answers(302),
    ]);
    let running = Webhooks::over(&home)
        .webhook(receiver.webhook("ops"))
        .pauses(SOON)
        .patience(Duration::from_millis(300))
        .start()
        .unwrap();
    home.set_state("bot", AgentState::Suspended, "on_holiday").unwrap();
    let received = receiver.wait_for(5);
    assert!(delivered(&home), "{:?}", Webhooks::letters(home.dir()).unwrap().all());
    let received = if received.len() > 5 {
        received
    } else {
        receiver.wait_for(5)
    };
    assert_eq!(received.len(), 5);
    let ids: Vec<_> = received.iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    let message = received[0].json();
    assert_eq!(message["type"], "agent.suspended");
    assert_eq!(
        (&message["data"]["agent"], &message["data"]["reason"]),
        (&json!("bot"), &json!("on_holiday"))
    );
    assert!(message["text"].as_str().unwrap().contains("bot is suspended"));
    assert!(received[0].header("webhook-signature").starts_with("v1,"));
    assert!(!format!("{received:?}").contains("MfKQ9r8"));
    verify_with_others(&received);
    drop(running);
}

#[test]
fn a_ticket_is_told_once_without_any_value_and_a_callback_hears_of_it_too() {
    let place = Place::new("ticket");
    let home = place.home();
    let (receiver, other) = (Receiver::new(&[]), Receiver::new(&[]));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let running = Webhooks::over(&home)
        .webhook(receiver.webhook("ops").only([EventKind::TicketOpened]))
        .webhook(other.webhook("stops").only([EventKind::AgentRevoked]))
        .callback(move |event| hears.lock().unwrap().push(event.clone()))
        .pauses(SOON)
        .start()
        .unwrap();
    let harness = Harness::builder().home(&home).agent_id("bot").build_blocking().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(harness.scope(async {
        for _ in 0..3 {
            pay("eve@example.com", "4111-secret").await.unwrap_err();
        }
        look("somewhere").await.unwrap();
    }));
    let received = receiver.wait_for(1);
    assert!(delivered(&home));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(receiver.wait_for(1).len(), 1, "{received:?}");
    let message = received[0].json();
    assert_eq!(message["type"], "ticket.opened");
    assert_eq!(message["data"]["tool"], "pay");
    assert_eq!(message["data"]["reasons"][0], "risk_high");
    for value in ["eve@example.com", "4111-secret"] {
        assert!(!received[0].body.contains(value), "{}", received[0].body);
    }
    home.set_state("bot", AgentState::Revoked, "gone").unwrap();
    assert_eq!(other.wait_for(1)[0].json()["type"], "agent.revoked");
    let begun = Instant::now();
    while heard.lock().unwrap().len() < 4 && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let kinds: Vec<_> = heard.lock().unwrap().iter().map(|event| event.kind()).collect();
    assert!(
        kinds.contains(&EventKind::TicketOpened) && kinds.contains(&EventKind::AgentRevoked),
        "{kinds:?}"
    );
    verify_with_others(&received);
    drop(running);
}

#[test]
fn a_decision_and_an_expiry_are_told_from_the_entries_that_people_and_time_leave() {
    let place = Place::new("decided");
    let home = place.home();
    let ann = managed_agents::approval::ApproverKey::generate().unwrap();
    let operator = home.enrol_root(&ann).unwrap().to_string();
    let receiver = Receiver::new(&[]);
    let kinds = [EventKind::TicketDecided, EventKind::TicketExpired];
    let running = Webhooks::over(&home)
        .webhook(receiver.webhook("ops").only(kinds))
        .pauses(SOON)
        .start()
        .unwrap();
    let build = |lifetime| {
        let builder = Harness::builder().home(&home).agent_id("bot").operator(&operator);
        builder.ticket_lifetime(lifetime).build_blocking().unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let wait_for = |harness: &Harness, card: &str| {
        let denied = runtime
            .block_on(harness.scope(pay("eve@example.com", card)))
            .unwrap_err();
        denied.ticket().unwrap().to_owned()
    };
    let (slow, fast) = (build(Duration::from_secs(3600)), build(Duration::from_millis(200)));
    let rejected = wait_for(&slow, "4111-secret");
    home.decide(&rejected, &managed_agents::home::Choice::reject("not to eve"), &ann)
        .unwrap();
    let decided = receiver.wait_for(1)[0].json();
    assert_eq!(decided["type"], "ticket.decided");
    let data = &decided["data"];
    assert_eq!(
        (&data["ticket"], &data["decision"]),
        (&json!(rejected), &json!("reject"))
    );
    assert_eq!((&data["agent"], &data["tool"]), (&json!("bot"), &json!("pay")));
    // nobody acts: whoever opens the record next closes what is over
    let expired = wait_for(&fast, "4222-secret");
    std::thread::sleep(Duration::from_millis(250));
    drop(place.home());
    let received = receiver.wait_for(2);
    let told = received[1].json();
    assert_eq!(
        (&told["type"], &told["data"]["ticket"]),
        (&json!("ticket.expired"), &json!(expired))
    );
    // the agent asks again, and is told; others were told already
    let denied = runtime
        .block_on(fast.scope(pay("eve@example.com", "4222-secret")))
        .unwrap_err();
    assert_ne!(denied.ticket(), Some(&*expired));
    assert!(delivered(&home));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(receiver.wait_for(2).len(), 2);
    for value in ["eve@example.com", "to eve", "4111-secret", "4222-secret"] {
        assert!(received.iter().all(|one| !one.body.contains(value)), "{received:?}");
    }
    verify_with_others(&received);
    drop(running);
}

#[test]
fn no_call_waits_for_a_receiver_that_hangs_nor_does_another_receiver() {
    let place = Place::new("hangs");
    let home = place.home();
    let stuck = Receiver::new(&[Behaves::Dawdles(Duration::from_secs(8)); 20]);
    let quick = Receiver::new(&[]);
    let running = Webhooks::over(&home)
        .webhook(stuck.webhook("stuck"))
        .webhook(quick.webhook("quick"))
        .start()
        .unwrap();
    registered(&home);
    home.set_state("bot", AgentState::Suspended, "first").unwrap();
    stuck.wait_for(1);
    home.set_state("bot", AgentState::Active, "second").unwrap();
    let harness = Harness::builder().home(&home).agent_id("bot").build_blocking().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let begun = Instant::now();
    runtime.block_on(harness.scope(async {
        for _ in 0..50 {
            look("here").await.unwrap();
        }
    }));
    home.set_state("bot", AgentState::Suspended, "third").unwrap();
    assert_eq!(quick.wait_for(2).len(), 2);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    drop(running);
}

#[test]
fn what_nobody_takes_is_a_dead_letter_that_can_be_sent_again_and_what_waits_survives_a_restart() {
    let place = Place::new("dead");
    let home = place.home();
    registered(&home);
    let receiver = Receiver::new(&[Behaves::Answers(503); 3]);
    let start = |receiver: &Receiver| {
        Webhooks::over(&home)
            .webhook(receiver.webhook("ops"))
            .pauses([Duration::from_millis(20); 2])
            .start()
            .unwrap()
    };
    let running = start(&receiver);
    home.set_state("bot", AgentState::Suspended, "first").unwrap();
    receiver.wait_for(3);
    let letters = Webhooks::letters(home.dir()).unwrap();
    let begun = Instant::now();
    while !letters.all().unwrap().iter().any(|letter| letter.dead) && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let dead = letters.all().unwrap();
    assert_eq!((dead.len(), dead[0].dead, dead[0].attempts), (1, true, 3));
    assert_eq!(
        (dead[0].kind.as_str(), dead[0].error.as_str()),
        ("agent.suspended", "status 503")
    );
    assert!(letters.revive(dead[0].id).unwrap() && !letters.revive(dead[0].id).unwrap());
    assert_eq!(receiver.wait_for(4).len(), 4);
    assert!(delivered(&home));

    // nobody runs while it happens
    drop(running);
    home.set_state("bot", AgentState::Revoked, "second").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(receiver.wait_for(4).len(), 4);
    let running = start(&receiver);
    assert_eq!(receiver.wait_for(5)[4].json()["type"], "agent.revoked");
    drop(running);
}

#[test]
fn a_record_in_trouble_is_told_though_it_cannot_be_read() {
    let place = Place::new("trouble");
    let home = place.home();
    let receiver = Receiver::new(&[]);
    let running = Webhooks::over(&home).webhook(receiver.webhook("ops")).start().unwrap();
    rusqlite::Connection::open(home.dir().join("record.db"))
        .unwrap()
        .execute_batch("DROP TABLE tree")
        .unwrap();
    let received = receiver.wait_for(1);
    assert_eq!(received[0].json()["type"], "record.trouble");
    assert_eq!(received[0].json()["data"]["code"], "store_corrupt");
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(receiver.wait_for(1).len(), 1, "trouble that goes on is told once");
    drop(running);
}

#[test]
fn addresses_and_names_are_checked_and_a_configuration_is_read() {
    let secret = || WebhookSecret::parse(SECRET).unwrap();
    for url in ["http://hooks.example/x", "ftp://x/", "https://user:canary@host/", ""] {
        let error = Webhook::signed("ops", url, secret()).unwrap_err();
        assert!(!error.to_string().contains("canary"));
    }
    assert!(Webhook::signed("Ops!", "https://hooks.example/", secret()).is_err());
    let place = Place::new("config");
    let home = place.home();
    let hook = || Webhook::unsigned("ops", "https://hooks.example/").unwrap();
    assert!(Webhooks::over(&home).webhook(hook()).webhook(hook()).start().is_err());
}
