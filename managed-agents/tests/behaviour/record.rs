//! What is remembered is a function of the record: computed again, in another process, it is the same.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use managed_agents::audit::entry::{Statement, statement};
use managed_agents::call::Effect;
use managed_agents::home::Home;
use managed_agents::store::{Query, StoreOptions};
use managed_agents::{Behaviour, Engine, Harness, Outcome, ToolMeta};

/// A directory of a test's own.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "ma-behaviour-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn home(&self) -> Home {
        Home::open(self.options()).unwrap()
    }

    pub(crate) fn options(&self) -> StoreOptions {
        StoreOptions::new(&self.0).high_water(self.0.join("mark"))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn harness(home: &Home, behaviour: &Behaviour) -> Harness {
    Harness::builder()
        .home(home)
        .agent_id("bot")
        .governor(Engine::new().scope("bot", ["look", "book"]).behaviour(behaviour))
        .declare(ToolMeta::new("look").read_only())
        .declare(ToolMeta::new("book").reversible())
        .declare(ToolMeta::new("drop").reversible())
        .build()
        .await
        .unwrap()
}

async fn work(harness: &Harness, from: usize, to: usize) {
    for at in from..to {
        let tool = ["look", "book", "look", "book", "drop"][at % 5];
        // a few denials, so that the floor is not reached
        let tool = if tool == "drop" && at % 100 != 4 { "look" } else { tool };
        match harness.govern(tool, format!(r#"{{"n":{at},"text":"é\"{at}"}}"#)).await {
            Ok(permit) if at % 7 == 0 => permit.finish(Outcome::Error),
            Ok(permit) => permit.finish(Outcome::Ok),
            Err(_) => {}
        }
    }
}

fn scores(behaviour: &Behaviour) -> Vec<(f64, f64, f64)> {
    let score = |effect| behaviour.trust("bot", effect);
    Effect::ALL
        .map(|effect| (score(effect).value(), score(effect).good(), score(effect).bad()))
        .to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recomputed_from_the_log_trust_is_the_same_to_the_last_bit() {
    let dir = Dir::new();
    let first = Behaviour::new();
    {
        let home = dir.home();
        let harness = harness(&home, &first).await;
        // several at once: what is told is told in the order of the log
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let harness = harness.clone();
                tokio::spawn(async move { work(&harness, task * 60, task * 60 + 60).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        // the last outcomes are written with what comes after them
        home.store().flush().await.unwrap();
    }
    let again = Behaviour::new();
    let home = dir.home();
    let _harness = harness(&home, &again).await;
    assert!(
        first.counts("bot").0 > 100 && first.counts("bot").1 >= 2,
        "{:?}",
        first.counts("bot")
    );
    assert_eq!(first.counts("bot"), again.counts("bot"));
    assert_eq!(scores(&first), scores(&again));
}

#[tokio::test]
async fn processes_of_one_agent_come_to_the_same_trust() {
    let dir = Dir::new();
    // two handles write as two processes do: each with a writer of its own
    let (one, other) = (dir.home(), dir.home());
    let (mine, theirs) = (Behaviour::new(), Behaviour::new());
    let (a, b) = (harness(&one, &mine).await, harness(&other, &theirs).await);
    for round in 0..10 {
        work(&a, round * 7, round * 7 + 7).await;
        work(&b, round * 11, round * 11 + 11).await;
    }
    for home in [&one, &other, &one] {
        home.store().flush().await.unwrap();
    }
    // each hears of the other with its own next decision
    a.govern("look", "{}").await.unwrap().finish(Outcome::Ok);
    one.store().flush().await.unwrap();
    b.govern("look", "{}").await.unwrap().finish(Outcome::Ok);
    other.store().flush().await.unwrap();
    a.govern("look", "{}").await.unwrap().finish(Outcome::Error);
    one.store().flush().await.unwrap();
    b.govern("look", "{}").await.unwrap().finish(Outcome::Error);
    other.store().flush().await.unwrap();
    assert_eq!(scores(&mine), scores(&theirs));
    let (completed, denied) = mine.counts("bot");
    assert!(completed > 100 && denied >= 2, "{completed} {denied}");
    assert!(Path::new(&dir.0).exists());
}

#[tokio::test]
async fn harnesses_of_one_record_remember_an_agent_once_and_outlive_one_another() {
    let dir = Dir::new();
    let home = dir.home();
    let (first, second) = (Behaviour::new(), Behaviour::new());
    let (a, b) = (harness(&home, &first).await, harness(&home, &second).await);
    work(&a, 0, 20).await;
    home.store().flush().await.unwrap();
    assert!(first.counts("bot").0 >= 15, "{:?}", first.counts("bot"));
    // what is heard by one is heard by all, at once and not twice
    assert_eq!(first.counts("bot"), second.counts("bot"));
    assert_eq!(scores(&first), scores(&second));
    // whoever heard of the agent elsewhere has a memory of its own
    let elsewhere = Behaviour::new();
    let in_memory = Harness::builder()
        .in_memory()
        .agent_id("bot")
        .governor(Engine::new().behaviour(&elsewhere))
        .declare(ToolMeta::new("look").read_only());
    let in_memory = in_memory.build().await.unwrap();
    in_memory.govern("look", "{}").await.unwrap().finish(Outcome::Ok);
    let c = harness(&home, &elsewhere).await;
    assert_eq!(elsewhere.counts("bot").0, first.counts("bot").0 + 1);
    drop((a, first, c, elsewhere, in_memory));
    work(&b, 20, 40).await;
    home.store().flush().await.unwrap();
    drop(b);
    drop(home);
    let again = Behaviour::new();
    let home = dir.home();
    let _harness = harness(&home, &again).await;
    assert_eq!(second.counts("bot"), again.counts("bot"));
    assert_eq!(scores(&second), scores(&again));
}

#[tokio::test]
async fn a_start_goes_on_from_what_was_written_down_and_comes_to_the_same() {
    let dir = Dir::new();
    let first = Behaviour::new();
    let home = dir.home();
    // held until it is written down: an agent whose harness has ended writes nothing more
    let working = harness(&home, &first).await;
    work(&working, 0, 200).await;
    // two entries for each call
    for at in 0..2_050 {
        working
            .govern("look", format!(r#"{{"n":{at}}}"#))
            .await
            .unwrap()
            .finish(Outcome::Ok);
    }
    home.store().flush().await.unwrap();
    let reader = home.store().reader().unwrap();
    let query = Query::new().kind("behaviour").agent("bot");
    // the thread makes thresholds first, which takes long in a debug build
    let begun = std::time::Instant::now();
    let kept = loop {
        home.store().flush().await.unwrap();
        if let Some(entry) = reader.query(&query).unwrap().into_entries().pop() {
            break entry;
        }
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(180),
            "nothing was written down"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    println!(
        "{} bytes of {} entries",
        kept.raw("body").unwrap().len(),
        reader.head().unwrap().size()
    );
    drop(working);
    let again = Behaviour::new();
    let from_kept = harness(&home, &again).await;
    assert_eq!(
        (first.counts("bot"), scores(&first)),
        (again.counts("bot"), scores(&again))
    );
    assert_eq!(
        (first.phase("bot"), first.size("bot") <= 16 * 1_024),
        (again.phase("bot"), true)
    );
    drop(from_kept);
    // what is written down wrongly is seen by whoever computes it again
    #[cfg(feature = "cli")]
    {
        let program = env!("CARGO_BIN_EXE_managed-agents");
        let verify = || {
            let mut command = std::process::Command::new(program);
            command.args(["audit", "verify", "--deep", "--data-dir"]).arg(&dir.0);
            command.arg("--high-water").arg(dir.0.join("mark")).output().unwrap()
        };
        let sound = verify();
        assert!(sound.status.success(), "{}", String::from_utf8_lossy(&sound.stdout));
        let body = kept
            .raw("body")
            .unwrap()
            .replacen(r#"\"completed\":"#, r#"\"completed\":1"#, 1);
        assert_ne!(body, kept.raw("body").unwrap());
        let entry = Statement::new("behaviour", std::time::SystemTime::now(), &body).about_agent("bot");
        home.store().append(statement(&entry).unwrap(), false).await.unwrap();
        home.store().flush().await.unwrap();
        let forged = verify();
        let said = String::from_utf8_lossy(&forged.stdout);
        assert!(
            forged.status.code() == Some(2) && said.contains("behaviour_differs"),
            "{said}"
        );
    }
}
