//! Law 8: one approval, signed by an enrolled approver's key, runs at most one call, of exactly that tool definition and those
//! arguments, by exactly that agent, whatever is retried. (Races of processes, kills, expiry and restored copies are in
//! `managed-agents/tests/people`.)

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use managed_agents::approval::ApproverKey;
use managed_agents::home::{Choice, Home};
use managed_agents::store::StoreOptions;
use managed_agents::{GovernanceDenied, Harness, governed};
use proptest::prelude::*;

static RAN: AtomicU32 = AtomicU32::new(0);

/// Pays.
#[governed(risk = high)]
async fn pay(to: &str, cents: u8) -> Result<u8, GovernanceDenied> {
    let _ = to;
    RAN.fetch_add(1, Ordering::SeqCst);
    Ok(cents)
}

/// Pays back.
#[governed(risk = high)]
async fn refund(to: &str, cents: u8) -> Result<u8, GovernanceDenied> {
    let _ = to;
    RAN.fetch_add(1, Ordering::SeqCst);
    Ok(cents)
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Call {
    agent: bool,
    tool: bool,
    to: u8,
    cents: u8,
}

fn call() -> impl Strategy<Value = Call> {
    (any::<bool>(), any::<bool>(), 0..2_u8, 0..2_u8).prop_map(|(agent, tool, to, cents)| Call {
        agent,
        tool,
        to,
        cents,
    })
}

#[derive(Clone, Debug)]
enum Step {
    Make(Call),
    Approve(Call, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => call().prop_map(Step::Make),
        1 => (call(), any::<bool>()).prop_map(|(call, enrolled)| Step::Approve(call, enrolled)),
    ]
}

async fn make(harnesses: &[Harness; 2], call: &Call) -> Result<u8, GovernanceDenied> {
    let [one, two] = harnesses;
    let harness = if call.agent { one } else { two };
    let to = if call.to == 0 { "bob" } else { "eve" };
    if call.tool {
        harness.scope(pay(to, call.cents)).await
    } else {
        harness.scope(refund(to, call.cents)).await
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Every run used up one approval that an enrolled key gave for exactly that call, and no other.
    #[test]
    fn law_8_every_run_has_an_approval_of_its_own(steps in proptest::collection::vec(step(), 1..24)) {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("law-8-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let home = Home::open(StoreOptions::new(dir.join("data")).high_water(dir.join("mark"))).unwrap();
        let [ann, eve] = [(); 2].map(|()| ApproverKey::generate().unwrap());
        let operator = home.enrol_root(&ann).unwrap().to_string();
        let harnesses = ["one", "two"].map(|agent| {
            let builder = Harness::builder().agent_id(agent).home(&home).operator(&operator);
            builder.build_blocking().unwrap()
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut approved: std::collections::HashSet<Call> = std::collections::HashSet::new();
        let mut tickets: std::collections::HashMap<Call, String> = std::collections::HashMap::new();
        for step in steps {
            match step {
                Step::Make(call) => {
                    let before = RAN.load(Ordering::SeqCst);
                    let made = runtime.block_on(make(&harnesses, &call));
                    let ran = RAN.load(Ordering::SeqCst) - before;
                    prop_assert_eq!(ran == 1, approved.remove(&call), "{:?}: {:?}", call, made);
                    match made {
                        Ok(_) => { tickets.remove(&call); }
                        Err(denied) => { tickets.insert(call, denied.ticket().unwrap().to_owned()); }
                    }
                }
                Step::Approve(call, enrolled) => {
                    let Some(ticket) = tickets.get(&call) else { continue };
                    let key = if enrolled { &ann } else { &eve };
                    let taken = home.decide(ticket, &Choice::approve(), key).is_ok();
                    prop_assert!(enrolled || !taken);
                    if taken {
                        approved.insert(call);
                    }
                }
            }
        }
        drop((harnesses, home));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
