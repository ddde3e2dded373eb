//! How people decide: signs of habit, counted from the tickets' entries.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::error::ReportError;
use super::read::member;
use crate::audit::entry::Entry;
use crate::audit::export::Untrusted;
use crate::store::{Query, Reader};

/// So many tickets of a period are remembered; of what comes above that, how long people took is not known, and they count as
/// untouched.
const MOST_TICKETS: usize = 200_000;

/// What people decided on calls that waited for them. None of these figures says that a decision was right or wrong: a
/// short time, a share near one and long streaks are signs of habit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reviewers {
    /// Tickets that were opened in the period.
    pub opened: u64,
    /// Of these, tickets that nobody decided on by its end.
    pub untouched: u64,
    /// Tickets that expired before anybody decided, or before the call came again.
    pub expired: u64,
    /// Everybody's decisions together.
    pub all: Decided,
    /// Each approver's, by the key that signed.
    pub approvers: BTreeMap<String, Decided>,
}

/// The decisions of one approver, or of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Decided {
    /// The name under which the key was enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many decisions.
    pub decisions: u64,
    /// Approved as they were asked for.
    pub approved: u64,
    /// Approved with other arguments.
    pub edited: u64,
    /// Rejected.
    pub rejected: u64,
    /// Closed without a decision.
    pub cancelled: u64,
    /// The share of approvals, edited ones too, in what was approved or rejected; in millionths.
    pub approval_rate: Option<u64>,
    /// The median time from the ticket to the decision, in microseconds.
    pub median_micros: Option<u64>,
    /// The shortest.
    pub shortest_micros: Option<u64>,
    /// Decisions of which the ticket's beginning is not in the period, so that their time is not known.
    pub of_unknown_time: u64,
    /// The most approvals in a row without a rejection between them.
    pub longest_streak: u64,
    /// The approvals since the last rejection.
    pub streak: u64,
    /// Alarms of drift: how this approver decides has changed.
    pub drift_alarms: u64,
    /// How often somebody said that an alarm was seen, or that what is new is usual from then on.
    pub drift_seen: u64,
    #[serde(skip)]
    times: Vec<u64>,
}

/// What is known while entries are read.
#[derive(Default)]
pub(super) struct Watch {
    tickets: HashMap<String, Ticket>,
    opened: u64,
    not_remembered: u64,
    expired: u64,
    all: Decided,
    approvers: BTreeMap<String, Decided>,
    alarms: BTreeSet<(String, u64)>,
}

/// A ticket that was opened in the period.
struct Ticket {
    opened: i64,
    touched: bool,
}

impl Watch {
    /// A decision: it may open a ticket.
    pub(super) fn decision(&mut self, entry: &Entry) {
        let Some(ticket) = entry.untrusted("ticket") else {
            return;
        };
        let queued = entry.disposition().is_some_and(|word| word.reveal() == "queued");
        if !queued || self.tickets.contains_key(ticket.reveal()) {
            return;
        }
        self.opened += 1;
        if self.tickets.len() < MOST_TICKETS {
            let opened = Ticket {
                opened: entry.at_micros(),
                touched: false,
            };
            self.tickets.insert(ticket.reveal().to_owned(), opened);
        } else {
            self.not_remembered += 1;
        }
    }

    /// The end of a ticket that nobody ordered.
    pub(super) fn closed(&mut self, entry: &Entry) {
        #[derive(serde::Deserialize)]
        struct Closed {
            state: String,
        }
        let closed = member::<Closed>(entry, "body");
        self.expired += u64::from(closed.is_some_and(|closed| closed.state == "expired"));
    }

    /// A person's decision on a ticket.
    pub(super) fn approval(&mut self, entry: &Entry) {
        #[derive(serde::Deserialize)]
        struct Signed {
            key: String,
            body: Body,
        }
        #[derive(serde::Deserialize)]
        struct Body {
            kind: String,
            about: About,
        }
        #[derive(serde::Deserialize)]
        struct About {
            ticket: String,
        }
        let Some(signed) = member::<Signed>(entry, "body") else {
            return;
        };
        // where several must approve, each one's time counts from the ticket's opening
        let took = self.tickets.get_mut(&signed.body.about.ticket).map(|ticket| {
            ticket.touched = true;
            entry.at_micros().saturating_sub(ticket.opened).max(0).unsigned_abs()
        });
        for decided in [&mut self.all, self.approvers.entry(signed.key).or_default()] {
            decided.add(&signed.body.kind, took);
        }
    }

    /// What is stated of how an approver's decisions have changed.
    pub(super) fn drifted(&mut self, entry: &Entry) {
        #[derive(serde::Deserialize)]
        struct Stated {
            approver: String,
            alarm: Option<u64>,
        }
        let Some(stated) = member::<Stated>(entry, "body") else {
            return;
        };
        let is_alarm = entry.kind() == "reviewer_drift";
        // processes may state the same alarm more than once
        if let (true, Some(alarm)) = (is_alarm, stated.alarm)
            && !self.alarms.insert((stated.approver.clone(), alarm))
        {
            return;
        }
        for decided in [&mut self.all, self.approvers.entry(stated.approver).or_default()] {
            decided.drift_alarms += u64::from(is_alarm);
            decided.drift_seen += u64::from(!is_alarm);
        }
    }

    pub(super) fn finish(mut self) -> Reviewers {
        self.all.finish();
        self.approvers.values_mut().for_each(Decided::finish);
        Reviewers {
            opened: self.opened,
            untouched: self.tickets.values().filter(|ticket| !ticket.touched).count() as u64 + self.not_remembered,
            expired: self.expired,
            all: self.all,
            approvers: self.approvers,
        }
    }
}

impl Reviewers {
    /// Gives approvers the names under which their keys were enrolled.
    pub(super) fn name(&mut self, reader: &Reader) -> Result<(), ReportError> {
        let mut query = Query::new().kind("approver");
        while !self.approvers.is_empty() {
            let page = reader.query(&query)?;
            for entry in page.entries() {
                let (name, key) = (about(entry, "approver"), about(entry, "key"));
                let id = key.as_deref().and_then(key_id);
                if let Some(decided) = id.and_then(|id| self.approvers.get_mut(&id)) {
                    decided.name = decided.name.take().or(name);
                }
            }
            match page.next() {
                Some(cursor) => query = query.after(cursor),
                None => break,
            }
        }
        Ok(())
    }
}

/// What an enrolment says of a name.
fn about(entry: &Entry, name: &str) -> Option<String> {
    let body: serde_json::Value = member(entry, "body")?;
    body.get("body")?
        .get("about")?
        .get(name)?
        .as_str()
        .map(ToOwned::to_owned)
}

/// The id of a public key, as statements name who signed them.
fn key_id(key: &str) -> Option<String> {
    Some(crate::identity::PublicKey::parse(key).ok()?.id().to_string())
}

impl Decided {
    fn add(&mut self, kind: &str, took: Option<u64>) {
        let approves = match kind {
            "approve" => {
                self.approved += 1;
                true
            }
            "edit" => {
                self.edited += 1;
                true
            }
            "reject" => {
                self.rejected += 1;
                false
            }
            _ => {
                self.cancelled += 1;
                return;
            }
        };
        self.decisions += 1;
        self.streak = if approves { self.streak + 1 } else { 0 };
        self.longest_streak = self.longest_streak.max(self.streak);
        match took {
            Some(took) => self.times.push(took),
            None => self.of_unknown_time += 1,
        }
    }

    fn finish(&mut self) {
        self.times.sort_unstable();
        self.shortest_micros = self.times.first().copied();
        self.median_micros = self.times.get(self.times.len() / 2).copied();
        let approvals = self.approved + self.edited;
        self.approval_rate = (approvals * 1_000_000).checked_div(self.decisions);
    }

    /// The approver's name, if its enrolment is recorded.
    #[must_use]
    pub fn name(&self) -> Option<Untrusted<'_>> {
        self.name.as_deref().map(Untrusted::new)
    }
}
