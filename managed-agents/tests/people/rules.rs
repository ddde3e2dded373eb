//! Where a root approver is enrolled, the record says by which order the rules of each decision were put into force; who decides by others is
//! named by verification, whatever keys of the data directory he has.
#![cfg(feature = "cedar")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use managed_agents::approval::{OperatorStatement, StatementKind};
use managed_agents::audit::entry::{Entry, Statement, statement};
use managed_agents::audit::{Committed, DecisionRecord, OutcomeRecord, RecordError, Recorder, Sequence};
use managed_agents::harness::HarnessBuilder;
use managed_agents::home::Home;
use managed_agents::identity::Moment;
use managed_agents::interrupt::{Stop, Target};
use managed_agents::policy::{Policies, PoliciesBuilder};
use managed_agents::store::{Depth, Report};
use managed_agents::{
    Answer, Claims, Engine, GovernanceDenied, GovernedBy as _, Harness, ToolCall, assert_denied, assert_escalated,
    governed,
};

use crate::support::Shop;

pub(crate) const FORBIDS: &str = "forbid(principal, action, resource);";
pub(crate) const PERMITS: &str = "permit(principal, action == Action::\"pay\", resource);";

/// A shop whose agent is judged by a file of policies.
pub(crate) struct Judged(pub(crate) Shop);

/// The policies of a shop in this directory.
pub(crate) fn files_of(place: &std::path::Path) -> PoliciesBuilder {
    let schema = serde_json::json!({
        "type": "object",
        "properties": { "to": { "type": "string" }, "cents": { "type": "integer" }, "memo": { "type": "string" } },
        "required": ["to", "cents", "memo"],
    });
    let builder = Policies::builder().tool("pay", &schema);
    builder.path(place.join("policies"))
}

impl Judged {
    pub(crate) fn new(name: &str) -> Self {
        let shop = Self(Shop::new(name));
        std::fs::create_dir_all(shop.0.place.path().join("policies")).unwrap();
        shop
    }

    pub(crate) fn write(&self, text: &str) {
        std::fs::write(self.0.place.path().join("policies").join("shop.cedar"), text).unwrap();
    }

    pub(crate) fn files(&self) -> PoliciesBuilder {
        files_of(self.0.place.path())
    }

    pub(crate) fn load(&self) -> Policies {
        self.files().load().unwrap()
    }

    /// An approver signs what the file says now.
    pub(crate) fn sign(&self) -> OperatorStatement {
        let digest = self.load().source_digest().to_string();
        let home = self.0.home();
        home.order(StatementKind::Rules, [("policies", digest)], &self.0.ann)
            .unwrap()
    }

    pub(crate) fn start(&self, policies: &Policies) -> Harness {
        self.start_with(policies, |builder| builder)
    }

    pub(crate) fn start_with(
        &self,
        policies: &Policies,
        build: impl FnOnce(HarnessBuilder) -> HarnessBuilder,
    ) -> Harness {
        let engine = Engine::new().policies(policies);
        self.0.harness(|builder| build(builder.governor(engine)))
    }

    /// A program that names no operator, as whoever can write the data directory may start one.
    pub(crate) fn start_unasked(&self, policies: &Policies) -> Harness {
        let builder = Harness::builder().agent_id("shop").home(&self.0.home());
        let builder = builder.governor(Engine::new().policies(policies));
        builder.build_blocking().unwrap()
    }

    /// A program that writes decisions as the library does, and not by which rules.
    pub(crate) fn start_silent(&self, policies: &Policies) -> Harness {
        let builder = Harness::builder().agent_id("shop").recorder(Silent(self.0.home()));
        let builder = builder.governor(Engine::new().policies(policies));
        builder.build_blocking().unwrap()
    }

    pub(crate) fn report(&self) -> Report {
        self.0.reader().verify(Depth::Deep, |_| ()).unwrap()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.reader().entries(0, usize::MAX).unwrap()
    }

    pub(crate) fn last_decision(&self) -> u64 {
        let entries = self.entries();
        let last = entries.iter().rfind(|entry| entry.kind() == "decision");
        last.unwrap().sequence()
    }

    pub(crate) fn stated(&self) -> Vec<serde_json::Value> {
        let entries = self.entries();
        let stated = entries.iter().filter(|entry| entry.kind() == "rules");
        stated
            .map(|entry| serde_json::from_str(entry.raw("body").unwrap()).unwrap())
            .collect()
    }

    /// Whoever has the log's key writes this; the answer is its place.
    pub(crate) async fn append(&self, kind: &str, body: &str) -> u64 {
        let home = self.0.home();
        let entry = statement(&Statement::new(kind, SystemTime::now(), body)).unwrap();
        home.store().append(entry, true).await.unwrap().get()
    }

    /// Exactly these entries are wrong.
    pub(crate) fn named(&self, expected: &[(&str, u64)]) {
        let report = self.report();
        let mut found: Vec<_> = report.problems().iter().map(|one| (one.code(), one.record())).collect();
        found.sort_unstable();
        let mut expected: Vec<_> = expected.iter().map(|(code, place)| (*code, Some(*place))).collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "{:#?}", report.problems());
    }

    /// How many decisions are said to have been made by rules that nobody let in.
    pub(crate) fn unsigned(&self) -> u64 {
        let report = self.report();
        let all = report.problems().iter().filter(|one| one.code() == "rules_unsigned");
        all.map(|one| match one.detail().split_once(", and ") {
            Some((_, more)) => 1 + more.split(' ').next().unwrap().parse::<u64>().unwrap(),
            None => 1,
        })
        .sum()
    }
}

/// Hands on to the record what a decision needs, and nothing more.
struct Silent(Home);

impl Recorder for Silent {
    fn commit(
        &self,
        record: DecisionRecord,
        call: Option<&Arc<ToolCall>>,
        claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        self.0.commit(record, call, claims)
    }

    fn keeps_counts(&self) -> bool {
        true
    }

    fn conclude(&self, place: Sequence, outcome: OutcomeRecord) {
        self.0.conclude(place, outcome);
    }
}

#[tokio::test]
async fn what_decides_by_policies_that_nobody_signed_is_named_though_it_wrote_with_the_logs_own_key() {
    let shop = Judged::new("unsigned-rules");
    shop.write(FORBIDS);
    shop.sign();
    let signed = shop.start(&shop.load());
    assert_denied!(shop.0.pay(&signed, "bob", 1).await);
    shop.named(&[]);
    // a program of the thief's that says what it judges by, and that nobody ordered it
    shop.write(PERMITS);
    let policies = shop.load();
    let unasked = shop.start_unasked(&policies);
    assert_eq!(shop.0.pay(&unasked, "eve", 1).await.unwrap(), 1);
    let first = shop.last_decision();
    shop.0.pay(&unasked, "eve", 2).await.unwrap();
    shop.named(&[("rules_unsigned", first)]);
    let report = shop.report();
    let told = report.problems()[0].detail().to_owned();
    assert!(told.ends_with("and 1 decision after it"), "{told}");
    // what an approver signed is judged by beside it as before
    assert_denied!(shop.0.pay(&signed, "bob", 2).await);
    shop.named(&[("rules_unsigned", first)]);
    // also what it reads anew, until it is what an approver signed
    shop.write("permit(principal, action == Action::\"pay\", resource); // anew");
    policies.reload().unwrap();
    shop.0.pay(&unasked, "eve", 3).await.unwrap();
    let second = shop.last_decision();
    shop.write(FORBIDS);
    policies.reload().unwrap();
    assert_denied!(shop.0.pay(&unasked, "eve", 4).await);
    shop.named(&[("rules_unsigned", first), ("rules_unsigned", second)]);
    drop((signed, unasked));
}

#[tokio::test]
async fn an_entry_that_was_left_out_altered_or_invented_puts_no_rules_into_force() {
    let shop = Judged::new("invented-rules");
    shop.write(PERMITS);
    let old = shop.sign();
    shop.write(FORBIDS);
    shop.sign();
    let bot = shop.start(&shop.load());
    assert_denied!(shop.0.pay(&bot, "bob", 1).await);
    let place_of = |stated: &OperatorStatement| {
        let entries = shop.entries();
        let found = entries.iter().find(|entry| entry.raw("body") == Some(stated.as_json()));
        found.unwrap().sequence()
    };
    let (old_place, mut named) = (place_of(&old), Vec::new());
    let newest = shop.stated()[0]["files"]["policies"]["order"].as_u64().unwrap();

    // left out
    shop.write(PERMITS);
    let thief = shop.start_silent(&shop.load());
    shop.0.pay(&thief, "eve", 1).await.unwrap();
    named.push(("rules_unsigned", shop.last_decision()));
    shop.named(&named);

    // invented: with the older order, with the last one about other files, with none, with one that is no order
    let entries = shop.entries();
    let last = entries.iter().rfind(|entry| entry.kind() == "decision").unwrap();
    let rules: String = serde_json::from_str(last.raw("rules").unwrap()).unwrap();
    let digest = old.about("policies").unwrap();
    let mut count = 1;
    for order in [Some(old_place), Some(newest), None, Some(0)] {
        let body = serde_json::json!({ "files": { "policies": { "digest": digest, "order": order } }, "rules": rules });
        shop.append("rules", &body.to_string()).await;
        shop.0.pay(&thief, "eve", 1).await.unwrap();
        shop.named(&named);
        count += 1;
        assert_eq!(shop.unsigned(), count, "{order:?}");
    }
    // that it keeps what nobody let in
    let body = serde_json::json!({
        "files": { "policies": { "digest": digest, "order": old_place } }, "replaces": rules, "rules": rules,
    });
    shop.append("rules", &body.to_string()).await;
    shop.append("rules", r#"{"rules":7}"#).await;
    shop.append("rules", "{}").await;
    shop.0.pay(&thief, "eve", 1).await.unwrap();
    shop.named(&named);
    assert_eq!(shop.unsigned(), count + 1);

    // the old order once more: it is named itself, lets nobody in, and does not count for what is stated after it
    let copy = shop.append("operator", old.as_json()).await;
    named.push(("order_missing", copy));
    let engine = Engine::new().policies(&shop.load());
    let refused = Harness::builder()
        .agent_id("shop")
        .home(&shop.0.home())
        .operator(&shop.0.operator)
        .governor(engine)
        .build_blocking();
    assert!(refused.unwrap_err().to_string().starts_with("rules_unsigned"));
    let body = serde_json::json!({ "files": { "policies": { "digest": digest, "order": copy } }, "rules": rules });
    shop.append("rules", &body.to_string()).await;
    shop.0.pay(&thief, "eve", 1).await.unwrap();
    shop.named(&named);
    assert_eq!(shop.unsigned(), count + 2);

    // signed anew, the same rules are in force; what was before stays named
    shop.sign();
    let bot = shop.start(&shop.load());
    shop.0.pay(&bot, "bob", 1).await.unwrap();
    shop.named(&named);
    assert_eq!(shop.unsigned(), count + 2);
}

#[tokio::test]
async fn what_an_approver_signed_is_sound_through_reloads_restarts_and_programs_of_other_settings() {
    let shop = Judged::new("signed-rules");
    shop.write(FORBIDS);
    shop.sign();
    let policies = shop.load();
    let first = shop.start(&policies);
    let other = shop.start_with(&shop.load(), |builder| builder.fail_open(true));
    assert_denied!(shop.0.pay(&first, "bob", 1).await);
    assert_denied!(shop.0.pay(&other, "bob", 2).await);
    assert_eq!(shop.stated().len(), 2, "one for each digest");
    drop(shop.start(&shop.load()));
    assert_eq!(shop.stated().len(), 2, "a start that says nothing anew adds nothing");
    // one reads what was signed anew, the other goes on as it was for a while: told, and not wrong
    shop.write(PERMITS);
    shop.sign();
    policies.reload().unwrap();
    assert_eq!(shop.stated().len(), 3, "said before anything is judged by it");
    shop.0.pay(&first, "bob", 3).await.unwrap();
    let report = shop.report();
    assert!(report.is_sound(), "{:#?}", report.problems());
    assert_eq!(report.replaced_rules(), 0);
    assert_denied!(shop.0.pay(&other, "bob", 4).await);
    let report = shop.report();
    assert!(report.is_sound(), "{:#?}", report.problems());
    assert_eq!(report.replaced_rules(), 1);
    drop(other);
    // back to what was signed before, by an order of its own
    shop.write(FORBIDS);
    shop.sign();
    policies.reload().unwrap();
    assert_denied!(shop.0.pay(&first, "bob", 5).await);
    drop(first);
    shop.0.sound();
    assert_eq!(shop.report().replaced_rules(), 1);
    assert_eq!(shop.stated().len(), 4);
}

#[cfg(feature = "config")]
#[tokio::test]
async fn a_configuration_that_was_let_in_is_kept_while_policies_are_read_anew() {
    let shop = Judged::new("kept-config");
    shop.write(FORBIDS);
    let file = shop.0.place.path().join("managed-agents.toml");
    std::fs::write(&file, "[tools.pay]\nrisk = \"high\"\n").unwrap();
    let sign = |about: &[(&str, String)]| {
        let home = shop.0.home();
        home.order(StatementKind::Rules, about.iter().cloned(), &shop.0.ann)
            .unwrap();
    };
    let config = |text: &[u8]| {
        use sha2::Digest as _;
        managed_agents::Digest::new(sha2::Sha256::digest(text).into()).to_string()
    };
    let policies = shop.load();
    sign(&[("config", config(&std::fs::read(&file).unwrap()))]);
    sign(&[("policies", policies.source_digest().to_string())]);
    let bot = shop.start_with(&policies, |builder| builder.config(&file));
    assert_denied!(shop.0.pay(&bot, "bob", 1).await);
    // another configuration is signed, which a program reads when it starts, and other policies, which it reads now
    std::fs::write(&file, "[tools.pay]\nrisk = \"critical\"\n").unwrap();
    sign(&[("config", config(&std::fs::read(&file).unwrap()))]);
    shop.write("forbid(principal, action, resource); // closed");
    sign(&[("policies", shop.load().source_digest().to_string())]);
    policies.reload().unwrap();
    assert_denied!(shop.0.pay(&bot, "bob", 2).await);
    let stated = shop.stated();
    assert_eq!(stated.len(), 2, "{stated:?}");
    let (before, after) = (&stated[0], &stated[1]);
    assert_eq!(after["replaces"], before["rules"]);
    assert_eq!(after["files"]["config"], before["files"]["config"]);
    assert_ne!(after["files"]["policies"], before["files"]["policies"]);
    drop(bot);
    shop.0.sound();
    assert_eq!(shop.report().replaced_rules(), 1);
}

#[tokio::test]
async fn a_log_of_programs_that_did_not_say_by_which_rules_they_judge_is_sound_until_an_order_says_that_they_do() {
    let shop = Judged::new("older-rules");
    shop.write(PERMITS);
    // as orders were signed then
    let about = [("policies", shop.load().source_digest().to_string())];
    let origin = "test.example/people";
    let order = OperatorStatement::sign(StatementKind::Rules, about, origin, Moment::now(), &shop.0.ann).unwrap();
    shop.append("operator", order.as_json()).await;
    let older = shop.start_silent(&shop.load());
    shop.0.pay(&older, "bob", 1).await.unwrap();
    shop.0.sound();
    shop.sign();
    shop.0.sound();
    shop.0.pay(&older, "bob", 2).await.unwrap();
    shop.named(&[("rules_unsigned", shop.last_decision())]);
}

#[tokio::test]
async fn a_log_without_an_operator_says_nothing_of_orders() {
    let shop = Judged::new("no-operator");
    let place = crate::support::Place::new("no-operator-log");
    shop.write(PERMITS);
    let home = Home::open(crate::support::options(place.path())).unwrap();
    let builder = Harness::builder().agent_id("shop").home(&home);
    let policies = shop.load();
    let bot = builder
        .governor(Engine::new().policies(&policies))
        .build_blocking()
        .unwrap();
    shop.0.pay(&bot, "bob", 1).await.unwrap();
    shop.write(FORBIDS);
    policies.reload().unwrap();
    assert_denied!(shop.0.pay(&bot, "bob", 2).await);
    drop((bot, home));
    let reader = managed_agents::store::Reader::open(place.data()).unwrap();
    assert!(reader.verify(Depth::Deep, |_| ()).unwrap().is_sound());
    let entries = reader.entries(0, usize::MAX).unwrap();
    assert!(entries.iter().all(|entry| entry.kind() != "rules"));
}

/// Goes on for longer than anybody waits.
#[governed(risk = low)]
async fn sleep() -> Result<(), GovernanceDenied> {
    tokio::time::sleep(Duration::from_secs(100)).await;
    Ok(())
}

/// Whether what nobody signed is refused ends with the last harness that was told of the operator, whatever its calls came to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_that_no_harness_judges_by_any_more_are_held_to_no_signature() {
    const ASKS: &str = "@decision(\"escalate\") permit(principal, action == Action::\"pay\", resource);";
    for (what, policy) in [
        ("unused", PERMITS),
        ("denied", FORBIDS),
        ("allowed", PERMITS),
        ("asked", ASKS),
        ("approved", ASKS),
        ("waiting", ASKS),
        ("spawned", PERMITS),
        ("scoped", PERMITS),
        ("session", PERMITS),
        ("by name", PERMITS),
        ("given up", PERMITS),
        ("stopped", PERMITS),
        ("watched", PERMITS),
    ] {
        let shop = Judged::new("dropped");
        shop.write(policy);
        shop.sign();
        let policies = shop.load();
        let bot = shop.start(&policies);
        let mut watch = None;
        match what {
            "denied" => drop(assert_denied!(shop.0.pay(&bot, "bob", 1).await)),
            "allowed" => drop(shop.0.pay(&bot, "bob", 1).await.unwrap()),
            "asked" => drop(assert_escalated!(shop.0.pay(&bot, "bob", 1).await)),
            "approved" => {
                let denied = assert_escalated!(shop.0.pay(&bot, "bob", 1).await);
                shop.0.approve(denied.ticket().unwrap());
                shop.0.pay(&bot, "bob", 1).await.unwrap();
            }
            "waiting" => {
                let waits = shop.start_with(&policies, |builder| builder.wait_for_approval(Duration::from_secs(60)));
                let call = shop.0.pay(&waits, "bob", 1);
                tokio::time::timeout(Duration::from_millis(300), call)
                    .await
                    .unwrap_err();
            }
            "spawned" => {
                let call = crate::support::pay("bob", 1, "s3cret", Arc::clone(&shop.0.runs));
                bot.spawn(call).await.unwrap().unwrap();
            }
            "scoped" => {
                let call = crate::support::pay("bob", 1, "s3cret", Arc::clone(&shop.0.runs));
                bot.scope(call).await.unwrap();
            }
            "session" => {
                let call = crate::support::pay("bob", 1, "s3cret", Arc::clone(&shop.0.runs));
                bot.session("s").scope(call).await.unwrap();
            }
            "by name" => {
                let permit = bot.govern("pay", r#"{"cents":1,"memo":"s3cret","to":"bob"}"#).await;
                drop(permit.map(|permit| permit.finish(managed_agents::Outcome::Ok)));
            }
            "given up" => {
                let body = sleep().governed_by(&bot);
                tokio::time::timeout(Duration::from_millis(100), body)
                    .await
                    .unwrap_err();
            }
            "stopped" => {
                let target = Target::Agent(managed_agents::AgentId::parse("shop").unwrap());
                bot.home().unwrap().stop(&Stop::of(target)).unwrap();
                assert_denied!(shop.0.pay(&bot, "bob", 1).await, "interrupted");
            }
            "watched" => {
                watch = Some(policies.watch(Duration::from_millis(1)).unwrap());
                shop.0.pay(&bot, "bob", 1).await.unwrap();
            }
            _ => {}
        }
        shop.write("forbid(principal, action, resource); // not signed");
        assert!(policies.reload().unwrap_err().is_unsigned());
        drop(bot);
        let mut waited = Duration::ZERO;
        while let Err(error) = policies.reload() {
            assert!(error.is_unsigned(), "{error}");
            assert!(
                waited < Duration::from_secs(10),
                "{what}: somebody still asks for a signature"
            );
            waited += Duration::from_millis(5);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("{what}: after {waited:?}");
        drop(watch);
    }
}
