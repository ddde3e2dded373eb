//! A shop whose agent pays, an operator, and approvers, over one data directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use managed_agents::approval::{ApproverKey, TicketState};
use managed_agents::audit::entry::Entry;
use managed_agents::harness::HarnessBuilder;
use managed_agents::home::{Choice, Home};
use managed_agents::store::{Depth, Reader, StoreOptions, Ticket, TicketQuery};
use managed_agents::{GovernanceDenied, GovernedBy as _, Harness, governed};

/// Pays.
#[governed(risk = high, skip(runs), redact(memo))]
pub(crate) async fn pay(to: &str, cents: u64, memo: &str, runs: Arc<AtomicUsize>) -> Result<u64, GovernanceDenied> {
    let _ = (to, memo);
    runs.fetch_add(1, Ordering::SeqCst);
    Ok(cents)
}

/// A directory that is removed when the test ends.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("managed-agents-people-{name}-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn options(dir: &Path) -> StoreOptions {
    StoreOptions::new(dir.join("data"))
        .high_water(dir.join("mark").join("log.high-water"))
        .origin("test.example/people")
}

/// A shop over a data directory; `ann` is the root approver.
pub(crate) struct Shop {
    pub(crate) place: Place,
    pub(crate) ann: ApproverKey,
    pub(crate) operator: String,
    pub(crate) runs: Arc<AtomicUsize>,
}

impl Shop {
    pub(crate) fn new(name: &str) -> Self {
        let place = Place::new(name);
        let ann = ApproverKey::generate().unwrap();
        let home = Home::open(options(place.path())).unwrap();
        let operator = home.enrol_root(&ann).unwrap().to_string();
        Self {
            place,
            ann,
            operator,
            runs: Arc::default(),
        }
    }

    /// The directory as another process opens it.
    pub(crate) fn home(&self) -> Home {
        Home::open(options(self.place.path())).unwrap()
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(self.place.data()).unwrap()
    }

    /// The agent's program.
    pub(crate) fn harness(&self, build: impl FnOnce(HarnessBuilder) -> HarnessBuilder) -> Harness {
        harness(self.place.path(), &self.operator, build)
    }

    pub(crate) async fn pay(&self, harness: &Harness, to: &str, cents: u64) -> Result<u64, GovernanceDenied> {
        let call = pay(to, cents, "s3cret", Arc::clone(&self.runs));
        call.governed_by(harness).await
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    /// Decides in a process of its own, as the command does.
    pub(crate) fn decide(&self, ticket: &str, choice: &Choice) {
        self.home().decide(ticket, choice, &self.ann).unwrap();
    }

    pub(crate) fn approve(&self, ticket: &str) {
        self.decide(ticket, &Choice::approve());
    }

    pub(crate) fn ticket(&self, id: &str) -> Ticket {
        self.reader().ticket(id).unwrap().unwrap()
    }

    pub(crate) fn state(&self, id: &str) -> TicketState {
        self.ticket(id).state()
    }

    pub(crate) fn open_tickets(&self) -> Vec<Ticket> {
        self.reader().tickets(&TicketQuery::open()).unwrap()
    }

    /// Writes to the database as a thief would.
    pub(crate) fn sql(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.place.data().join("record.db")).unwrap();
        db.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        db.execute_batch(sql).unwrap();
    }

    /// Every entry of a record that is sound by every means.
    pub(crate) fn sound(&self) -> Vec<Entry> {
        let reader = self.reader();
        let report = reader.verify(Depth::Deep, |_| ()).unwrap();
        assert!(report.is_sound(), "{:#?}", report.problems());
        reader.entries(0, usize::MAX).unwrap()
    }

    /// The codes of the problems that a check of the record finds.
    pub(crate) fn problems(&self) -> Vec<String> {
        let report = self.reader().verify(Depth::Deep, |_| ()).unwrap();
        report
            .problems()
            .iter()
            .map(|problem| problem.code().to_owned())
            .collect()
    }

    /// The codes of the last recorded decision.
    pub(crate) fn last_codes(&self) -> Vec<String> {
        let entries = self.reader().entries(0, usize::MAX).unwrap();
        let last = entries.iter().rfind(|entry| entry.kind() == "decision").unwrap();
        last.codes().iter().map(|code| code.reveal().to_owned()).collect()
    }
}

pub(crate) fn harness(dir: &Path, operator: &str, build: impl FnOnce(HarnessBuilder) -> HarnessBuilder) -> Harness {
    let home = Home::open(options(dir)).unwrap();
    let builder = Harness::builder().agent_id("shop").home(&home).operator(operator);
    build(builder).build_blocking().unwrap()
}
