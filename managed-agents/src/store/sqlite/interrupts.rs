//! Stops in the log: entries of type `interrupt`, of which a stop is plain and its end is signed by the operator.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::{StoreError, StoreErrorKind};
use super::log::Log;
use super::lookup;
use super::trusted::Trusted;
use crate::audit::entry::{Entry, PendingEntry, Statement, statement};
use crate::audit::{OutcomeRecord, Sequence};
use crate::call::AgentId;
use crate::identity::ResumeStatement;
use crate::interrupt::{Logged, Stop, StopRecord, Target};
use crate::verdict::EvaluationId;

/// The type of the entries.
pub(super) const KIND: &str = "interrupt";
const FORMAT: &str = "ma-interrupt/1";

/// The body of a stop.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Body {
    drill: bool,
    reason: String,
    stop: String,
    v: String,
}

/// The stops of a log, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops(Vec<Logged>);

/// What an `interrupt` entry says.
enum Said {
    Stop(Stop),
    Resume(ResumeStatement),
}

impl Said {
    fn read(body: &str) -> Result<Self, StoreError> {
        let no = |why: &dyn std::fmt::Display| refused(format!("an `interrupt` entry holds no stop and no end: {why}"));
        if let Ok(resume) = ResumeStatement::parse(body) {
            return Ok(Self::Resume(resume));
        }
        let body: Body = serde_json::from_str(body).map_err(|error| no(&error))?;
        if body.v != FORMAT {
            return Err(no(&"its `v` is another format"));
        }
        let target: Target = body.stop.parse().map_err(|error| no(&error))?;
        let stop = Stop::of(target).because(body.reason);
        let stop = if body.drill { stop.as_drill() } else { stop };
        stop.check().map_err(|error| no(&error))?;
        Ok(Self::Stop(stop))
    }
}

impl Stops {
    /// Reads them; in a transaction, with what it has added.
    pub(super) fn read(db: &Connection, size: u64) -> Result<Self, StoreError> {
        let mut stops = Self::default();
        for entry in lookup::of_kind(db, KIND, size)? {
            let said = Said::read(entry.raw("body").unwrap_or_default())
                .map_err(|error| StoreError::corrupt(format!("record {}: {error}", entry.sequence())))?;
            stops.add(said, &entry);
        }
        Ok(stops)
    }

    fn add(&mut self, said: Said, entry: &Entry) {
        match said {
            Said::Stop(stop) => {
                let over = matches!(stop.target(), Target::Call(_));
                let at = Duration::from_micros(u64::try_from(entry.at_micros()).unwrap_or(0));
                let place = entry.sequence();
                let record = StopRecord::new(stop, SystemTime::UNIX_EPOCH + at, Some(Sequence::new(place)));
                self.0.push(Logged {
                    record: Arc::new(record),
                    place,
                    over,
                });
            }
            Said::Resume(resume) => {
                for one in self.0.iter_mut().filter(|one| resume.ends().contains(&one.place)) {
                    one.over = true;
                }
            }
        }
    }

    /// Those that hold.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &StopRecord> {
        self.0.iter().filter(|one| !one.over).map(|one| &*one.record)
    }

    /// Whether a call of this agent and session may begin.
    pub(super) fn admit(&self, agent: &str, session: Option<&str>) -> bool {
        !self
            .in_force()
            .any(|record| record.stop().target().closes(agent, session))
    }

    pub(super) fn as_slice(&self) -> &[Logged] {
        &self.0
    }

    /// Whether a statement that is to be written follows what is recorded.
    pub(super) fn check(
        &self,
        log: &Log<'_>,
        (trusted, origin): (&mut Trusted, &str),
        entry: &PendingEntry,
    ) -> Result<(), StoreError> {
        let entry = Entry::parse(entry.at(0))?;
        match Said::read(entry.raw("body").unwrap_or_default())? {
            Said::Stop(stop) => match stop.target() {
                Target::Call(evaluation) if !log.runs(&evaluation.to_string())? => Err(refused(format!(
                    "no call `{}` is running",
                    evaluation.to_string().escape_debug()
                ))),
                _ => Ok(()),
            },
            Said::Resume(resume) => {
                let holds = |place: &u64| {
                    self.in_force().any(|record| {
                        record.place().map(Sequence::get) == Some(*place)
                            && record.stop().target().to_string() == resume.target()
                    })
                };
                if resume.ends().iter().all(holds) {
                    return trusted.resumes(&resume, origin);
                }
                Err(refused(format!(
                    "`{}` is not stopped by what is to be ended",
                    resume.target().escape_debug()
                )))
            }
        }
    }
}

/// The entry of a stop.
pub(super) fn entry_of(stop: &Stop) -> Result<PendingEntry, StoreError> {
    stop.check().map_err(|error| refused(error.to_string()))?;
    let body = Body {
        drill: stop.is_drill(),
        reason: stop.reason().to_owned(),
        stop: stop.target().to_string(),
        v: FORMAT.to_owned(),
    };
    let body = serde_json::to_string(&body).map_err(|error| refused(error.to_string()))?;
    let said = Statement::new(KIND, SystemTime::now(), &body);
    Ok(statement(&match stop.target() {
        Target::Agent(agent) => said.about_agent(agent.as_str()),
        _ => said,
    })?)
}

/// The entry of how a compensation ended.
pub(super) fn compensation(
    place: Sequence,
    evaluation: &EvaluationId,
    agent: &AgentId,
    outcome: &OutcomeRecord,
) -> Result<PendingEntry, StoreError> {
    let micros = u64::try_from(outcome.duration().as_micros()).unwrap_or(u64::MAX);
    let body = json!({
        "duration_us": micros.min((1 << 53) - 1), "evaluation": evaluation.to_string(), "outcome": outcome.outcome().code(),
    });
    let body = body.to_string();
    let said = Statement::new("compensation", SystemTime::now(), &body);
    Ok(statement(&said.about_agent(agent.as_str()).about_entry(place.get()))?)
}

fn refused(detail: String) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, detail)
}
