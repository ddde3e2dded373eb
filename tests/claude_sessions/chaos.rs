//! Through a proxy that loses, doubles, delays, reorders and cuts: no process dies here, so every body runs exactly once.

use std::sync::Arc;
use std::time::Duration;

use managed_agents::approval::ApproverKey;
use managed_agents::claude::{CallEnd, EnvironmentDraft, SessionGovernor};
use tests::managed::{ManagedServer, Turn};

use crate::proxy::Proxy;
use crate::world::{self, Ran, answers, bash, issue, look, pay_back, quick};

/// How many faults there must have been: `MANAGED_AGENTS_CLAUDE_POINTS`, else 40.
pub(crate) fn points() -> usize {
    let points = std::env::var("MANAGED_AGENTS_CLAUDE_POINTS");
    points.ok().and_then(|points| points.parse().ok()).unwrap_or(40)
}

pub(crate) fn script() -> Vec<Turn> {
    vec![
        Turn::calls(vec![look("1"), look("2"), pay_back("6"), bash("ask"), issue()]),
        Turn::calls(vec![look("3")]),
        Turn::calls(vec![issue(), look("4"), look("5")]),
        Turn::says("All done."),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_stream_loses_doubles_or_reorders_every_body_runs_once_and_every_call_has_one_answer() {
    let (mut faults, mut seed, mut kinds) = (0, 0, [0; 7]);
    while faults < points() {
        seed += 1;
        let server = ManagedServer::start(script()).await.unwrap();
        let proxy = Proxy::start(server.url(), seed).await;
        let direct = world::client(server.url());
        let client = world::client(&proxy.url);
        let ran = Arc::<Ran>::default();
        let toolbox = world::toolbox(&ran);
        let session = world::session(&direct, &toolbox, &EnvironmentDraft::cloud("here")).await;
        let ann = ApproverKey::generate().unwrap();
        let builder = world::harness().approver("ann", ann.public()).in_memory();
        let harness = builder.build().await.unwrap();
        let governor = quick(SessionGovernor::builder(&client, &harness))
            .toolbox(&toolbox)
            .build()
            .unwrap();
        let person = async {
            loop {
                for ticket in harness.pending() {
                    harness.approve(ticket.id(), &ann).unwrap();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let governed = async {
            tokio::select! {
                report = governor.converse(&session, "go") => report,
                () = person => panic!("it has no end"),
            }
        };
        let report = tokio::time::timeout(Duration::from_secs(60), governed)
            .await
            .unwrap_or_else(|_| panic!("seed {seed} hangs: {:?}", proxy.log()));
        let report = report.unwrap_or_else(|error| panic!("seed {seed}: {error}: {:?}", proxy.log()));
        let log = || format!("seed {seed}: {report:?}\n{:?}", proxy.log());
        let events = server.world().events(&session);
        let answers = answers(&events);
        assert_eq!(answers.len(), 9, "{}", log());
        for (call, answers) in &answers {
            assert_eq!(answers.len(), 1, "{call} {}", log());
        }
        assert_eq!(ran.all().len(), 6, "{}", log());
        assert!(ran.all().values().all(|times| *times == 1), "{:?} {}", ran.all(), log());
        assert_eq!(report.text(), "All done.", "{}", log());
        assert!(
            report.calls().iter().all(|call| call.end() != CallEnd::Unknown),
            "{}",
            log()
        );
        faults += proxy.faults();
        for (sum, count) in kinds.iter_mut().zip(proxy.by_kind()) {
            *sum += count;
        }
    }
    let [dropped, doubled, delayed, kept, cut, lost, unheard] = kinds;
    println!(
        "{faults} faults in {seed} sessions: {dropped} events dropped, {doubled} doubled, {delayed} delayed, {kept} reordered, \
         {cut} streams cut, {lost} requests and {unheard} answers lost"
    );
}
