//! What entries of rules say when programs start, read anew and write beside each other, and what they do not say.
#![cfg(feature = "cedar")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use managed_agents::approval::{OperatorStatement, StatementKind};
use managed_agents::policy::Policies;
use managed_agents::{
    Answer, Digest, Engine, Governor, GovernorError, Harness, Judgement, SourceGuard, ToolCall, assert_denied,
};

use crate::rules::{FORBIDS, Judged, PERMITS, files_of};
use crate::steps::watched;
use crate::support::{harness, pay};

fn place_of(shop: &Judged, stated: &OperatorStatement) -> u64 {
    let entries = shop.entries();
    let found = entries.iter().find(|entry| entry.raw("body") == Some(stated.as_json()));
    found.unwrap().sequence()
}

fn rules_of_last_decision(shop: &Judged) -> String {
    let entries = shop.entries();
    let last = entries.iter().rfind(|entry| entry.kind() == "decision").unwrap();
    serde_json::from_str(last.raw("rules").unwrap()).unwrap()
}

#[tokio::test]
async fn an_entry_with_the_right_files_and_the_place_of_another_order_puts_no_rules_into_force() {
    let shop = Judged::new("misplaced-order");
    shop.write(PERMITS);
    let first = shop.sign();
    shop.write(FORBIDS);
    let between = shop.sign();
    shop.write(PERMITS);
    let last = shop.sign();
    assert_eq!(first.about("policies"), last.about("policies"));
    let thief = shop.start_silent(&shop.load());
    shop.0.pay(&thief, "eve", 1).await.unwrap();
    let (named, rules) = (shop.last_decision(), rules_of_last_decision(&shop));
    let (first, between, last_place) = (
        place_of(&shop, &first),
        place_of(&shop, &between),
        place_of(&shop, &last),
    );
    let entry = |order: Option<u64>| {
        let file = serde_json::json!({ "digest": last.about("policies"), "order": order });
        serde_json::json!({ "files": { "policies": file }, "rules": rules }).to_string()
    };
    let mut count = 1;
    for order in [
        Some(first),
        Some(between),
        Some(named),
        Some(last_place + 1),
        Some(u64::MAX),
        None,
    ] {
        shop.append("rules", &entry(order)).await;
        shop.0.pay(&thief, "eve", 1).await.unwrap();
        count += 1;
        shop.named(&[("rules_unsigned", named)]);
        assert_eq!(shop.unsigned(), count, "{order:?}");
    }
    // and it was the place alone
    shop.append("rules", &entry(Some(last_place))).await;
    shop.0.pay(&thief, "eve", 1).await.unwrap();
    assert_eq!(shop.unsigned(), count);
}

/// What another process says when an order was signed while it wrote.
#[tokio::test]
async fn who_comes_too_late_with_rules_that_were_in_force_takes_nothing_back_from_whoever_judges_by_them() {
    let shop = Judged::new("late-entry");
    shop.write(PERMITS);
    shop.sign();
    let bot = shop.start(&shop.load());
    shop.0.pay(&bot, "bob", 1).await.unwrap();
    let said = shop.stated()[0].clone();
    // signed once more, so that the order is another
    let again = place_of(&shop, &shop.sign());
    shop.write(FORBIDS);
    shop.sign();
    let mut late = said.clone();
    late["files"]["policies"]["order"] = again.into();
    for (count, late) in [(1, said), (2, late)] {
        shop.append("rules", &late.to_string()).await;
        shop.0.pay(&bot, "bob", 1).await.unwrap();
        shop.named(&[]);
        assert_eq!(shop.report().replaced_rules(), count, "by rules that were in force");
    }
    // it puts nothing into force: after the next start that says so, what is judged by it is named
    let thief = shop.start_silent(&{
        shop.write("permit(principal, action == Action::\"pay\", resource); // other");
        shop.load()
    });
    shop.0.pay(&thief, "eve", 1).await.unwrap();
    shop.named(&[("rules_unsigned", shop.last_decision())]);
}

#[tokio::test]
async fn a_start_says_anew_what_another_entry_took_back() {
    let shop = Judged::new("taken-back-rules");
    shop.write(PERMITS);
    shop.sign();
    let bot = shop.start(&shop.load());
    shop.0.pay(&bot, "bob", 1).await.unwrap();
    let said = shop.stated()[0].clone();
    let mut other = said.clone();
    other["files"]["policies"]["digest"] = "00".repeat(32).into();
    shop.append("rules", &other.to_string()).await;
    drop(bot);
    let bot = shop.start(&shop.load());
    assert_eq!(*shop.stated().last().unwrap(), said);
    shop.0.pay(&bot, "bob", 2).await.unwrap();
    drop(bot);
    shop.0.sound();
}

/// Said by a thief before there is the order, whose place can be guessed: it lets nothing in, and is not taken for what was said.
#[tokio::test]
async fn an_entry_that_was_written_before_its_order_is_said_again_after_it() {
    let shop = Judged::new("foretold-rules");
    shop.write(FORBIDS);
    shop.sign();
    let bot = shop.start(&shop.load());
    assert_denied!(shop.0.pay(&bot, "bob", 1).await);
    let mut foretold = shop.stated()[0].clone();
    drop(bot);
    let next = shop.entries().len() as u64;
    foretold["files"]["policies"]["order"] = (next + 1).into();
    assert_eq!(shop.append("rules", &foretold.to_string()).await, next);
    assert_eq!(place_of(&shop, &shop.sign()), next + 1);
    let bot = shop.start(&shop.load());
    assert_denied!(shop.0.pay(&bot, "bob", 2).await);
    assert_eq!(shop.stated().len(), 3);
    drop(bot);
    shop.0.sound();
}

#[cfg(feature = "config")]
#[tokio::test]
async fn programs_with_the_same_settings_of_two_signed_configurations_are_both_let_in() {
    use sha2::Digest as _;
    let shop = Judged::new("two-configs");
    shop.write(FORBIDS);
    let file = shop.0.place.path().join("managed-agents.toml");
    std::fs::write(&file, "[tools.pay]\nrisk = \"high\"\n").unwrap();
    let sign = |what: &str, digest: String| {
        let home = shop.0.home();
        home.order(StatementKind::Rules, [(what, digest)], &shop.0.ann).unwrap();
    };
    let config = || Digest::new(sha2::Sha256::digest(std::fs::read(&file).unwrap()).into()).to_string();
    let policies = shop.load();
    sign("policies", policies.source_digest().to_string());
    sign("config", config());
    let first = shop.start_with(&policies, |builder| builder.config(&file));
    assert_denied!(shop.0.pay(&first, "bob", 1).await);
    std::fs::write(&file, "# said in other words\n[tools.pay]\nrisk = \"high\"\n").unwrap();
    sign("config", config());
    let second = shop.start_with(&shop.load(), |builder| builder.config(&file));
    assert_denied!(shop.0.pay(&second, "bob", 2).await);
    let stated = shop.stated();
    assert_eq!(stated[0]["rules"], stated[1]["rules"], "only the files are others");
    assert_ne!(stated[0]["files"], stated[1]["files"]);
    // the first keeps its configuration, and reads other policies
    shop.write("forbid(principal, action, resource); // closed");
    sign("policies", shop.load().source_digest().to_string());
    policies.reload().unwrap();
    assert_denied!(shop.0.pay(&first, "bob", 3).await);
    shop.named(&[]);
    drop((first, second));
    shop.0.sound();
}

const AT_LAST: u32 = u32::MAX;

type Hook = Box<dyn FnOnce() + Send>;

/// An engine, with something that happens as soon as a harness has looked so many times, and once more, at what it judges by.
struct Looked {
    engine: Engine,
    then: Mutex<(u32, Option<Hook>)>,
}

impl Governor for Looked {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        self.engine.decide(call)
    }

    fn rules(&self) -> Option<Digest> {
        self.engine.rules()
    }

    fn sources(&self) -> Option<Digest> {
        let sources = self.engine.sources();
        let then = match &mut *self.then.lock().unwrap() {
            (0, then) => then.take(),
            (AT_LAST, _) => None,
            (looks, _) => {
                *looks -= 1;
                None
            }
        };
        if let Some(then) = then {
            then();
        }
        sources
    }

    fn guard_sources(&self, guard: Weak<dyn SourceGuard>) {
        // or in the last moment before it is asked
        let then = match &mut *self.then.lock().unwrap() {
            (AT_LAST, then) => then.take(),
            _ => None,
        };
        if let Some(then) = then {
            then();
        }
        self.engine.guard_sources(guard);
    }
}

/// Builds as a program with an operator does.
fn build(shop: &Judged, governor: impl Governor + 'static) -> Result<Harness, managed_agents::harness::BuildError> {
    let builder = Harness::builder().agent_id("shop").home(&shop.0.home());
    builder.operator(&shop.0.operator).governor(governor).build_blocking()
}

#[tokio::test]
async fn policies_that_are_read_anew_while_a_harness_is_built_are_held_to_their_signature() {
    for looks in [0, 1, 2, 3, AT_LAST] {
        let shop = Judged::new("built-meanwhile");
        shop.write(FORBIDS);
        shop.sign();
        let policies = shop.load();
        let reloads = policies.clone();
        let file = shop.0.place.path().join("policies").join("shop.cedar");
        let then: Hook = Box::new(move || {
            std::fs::write(&file, PERMITS).unwrap();
            // refused or not, nothing may be judged by it
            drop(reloads.reload());
        });
        let governor = Looked {
            engine: Engine::new().policies(&policies),
            then: Mutex::new((looks, Some(then))),
        };
        match build(&shop, governor) {
            Err(error) => assert!(error.to_string().starts_with("rules_unsigned"), "{error}"),
            Ok(bot) => {
                assert_denied!(shop.0.pay(&bot, "eve", 1).await);
            }
        }
        assert_eq!(shop.0.runs(), 0);
        shop.named(&[]);
    }
}

/// Agrees when it is told to.
struct Slow {
    asked: Sender<()>,
    agrees: Mutex<Receiver<()>>,
}

impl SourceGuard for Slow {
    fn admits_sources(&self, _: Digest, _: Digest) -> Result<(), String> {
        self.asked.send(()).unwrap();
        self.agrees.lock().unwrap().recv().unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn policies_that_others_have_let_in_before_a_harness_is_built_are_held_to_their_signature() {
    let shop = Judged::new("let-in-before");
    shop.write(FORBIDS);
    shop.sign();
    let policies: Policies = shop.load();
    let ((asked, was_asked), (agree, agrees)) = (channel(), channel());
    let slow: Arc<dyn SourceGuard> = Arc::new(Slow {
        asked,
        agrees: Mutex::new(agrees),
    });
    Engine::new().policies(&policies).guard_sources(Arc::downgrade(&slow));
    shop.write(PERMITS);
    let reloads = policies.clone();
    let reload = std::thread::spawn(move || reloads.reload());
    was_asked.recv().unwrap();
    // whoever is asked now was not there when others were
    let releases = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        agree.send(()).unwrap();
    });
    let built = build(&shop, Engine::new().policies(&policies));
    reload.join().unwrap().unwrap();
    releases.join().unwrap();
    match built {
        Err(error) => assert!(error.to_string().starts_with("rules_unsigned"), "{error}"),
        Ok(bot) => {
            assert_denied!(shop.0.pay(&bot, "eve", 1).await);
        }
    }
    assert_eq!(shop.0.runs(), 0);
}

const PLACE: &str = "MANAGED_AGENTS_TEST_RULES_PLACE";
const OPERATOR: &str = "MANAGED_AGENTS_TEST_RULES_OPERATOR";

/// Not a test of its own: a program that puts its rules into force, and makes its first call when a file is there.
#[test]
fn a_process_of_its_own() {
    let (Ok(place), Ok(operator)) = (std::env::var(PLACE), std::env::var(OPERATOR)) else {
        return;
    };
    let place = Path::new(&place);
    let policies = files_of(place).load().unwrap();
    let bot = harness(place, &operator, |builder| {
        builder.governor(Engine::new().policies(&policies))
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nREADY").unwrap();
    while !place.join("go").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let paid = runtime.block_on(bot.scope(pay("bob", 1, "s3cret", Arc::default())));
    paid.unwrap();
    writeln!(out, "\nPAID").unwrap();
}

fn start_elsewhere(shop: &Judged) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "in_force::a_process_of_its_own",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(PLACE, shop.0.place.path())
        .env(OPERATOR, &shop.0.operator)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line == "READY"));
    (child, lines)
}

#[tokio::test]
async fn who_is_killed_between_its_rules_and_its_first_decision_leaves_a_sound_record_that_goes_on() {
    let mut without_decision = 0;
    // killed before it calls, and then at each of its writes until it has called
    for n in 0..40 {
        let shop = Judged::new("killed-in-force");
        shop.write(PERMITS);
        shop.sign();
        let (mut child, mut lines) = start_elsewhere(&shop);
        assert_eq!(shop.stated().len(), 1, "in force before anything is judged");
        assert!(shop.entries().iter().all(|entry| entry.kind() != "decision"));
        let watcher = if n == 0 {
            child.kill().unwrap();
            None
        } else {
            let Some(watcher) = watched(&child, n) else {
                child.kill().unwrap();
                child.wait().unwrap();
                println!("killed before its first call alone: there is no `strace` here, or it may watch nothing");
                break;
            };
            std::fs::write(shop.0.place.path().join("go"), "").unwrap();
            Some(watcher)
        };
        let paid = lines.any(|line| line == "PAID");
        child.wait().unwrap();
        if let Some(mut watcher) = watcher {
            watcher.wait().unwrap();
        }

        // whoever opens the record next closes what was running
        drop(shop.0.home());
        shop.0.sound();
        let decided = shop.entries().iter().any(|entry| entry.kind() == "decision");
        without_decision += usize::from(!decided);
        // the rules are what they were, and whoever judges by them goes on under them
        let bot = shop.start(&shop.load());
        shop.0.pay(&bot, "bob", 2).await.unwrap();
        drop(bot);
        let stated = shop.stated();
        assert!(stated.iter().all(|one| one == &stated[0]), "{stated:?}");
        assert_eq!(stated[0]["rules"], rules_of_last_decision(&shop));
        shop.0.sound();
        // and nobody else's
        shop.write(FORBIDS);
        let thief = shop.start_silent(&shop.load());
        shop.0.pay(&thief, "eve", 1).await.unwrap_err();
        shop.named(&[("rules_unsigned", shop.last_decision())]);
        if paid {
            break;
        }
    }
    assert!(without_decision > 0);
}
