//! What must still hold when a decision is written (law 6): checked in the transaction that writes it.

use std::collections::HashMap;
use std::time::SystemTime;

use rusqlite::params;

use super::agents;
use super::error::StoreError;
use super::interrupts::Stops;
use super::log::Log;
use super::message::Decision;
use super::seal::Values;
use super::tickets;
use super::tip::Tip;
use super::trusted::Trusted;
use crate::approval::TicketClaim;
use crate::governor::Claims;
use crate::identity::Standing;

/// Reads states, stops and keys anew when any process has changed one.
pub(super) fn refresh(
    log: &Log<'_>,
    tip: &Tip,
    (standings, stops): (&mut HashMap<String, Standing>, &mut Stops),
    trusted: &mut Trusted,
    epoch: &mut u64,
) -> Result<(), StoreError> {
    if *epoch == tip.epoch {
        return Ok(());
    }
    *standings = agents::standings(&agents::all(log.db)?, tip.epoch);
    *stops = Stops::read(log.db, tip.size())?;
    trusted.believes_ends(log.db, tip.size())?;
    log.keys.reload()?;
    *epoch = tip.epoch;
    Ok(())
}

/// Whether a decision may be written as it is; else it must be judged anew.
pub(super) fn admits(
    log: &Log<'_>,
    tip: &Tip,
    standings: &HashMap<String, Standing>,
    stops: &Stops,
    trusted: &mut Trusted,
    decision: &Decision,
) -> Result<bool, StoreError> {
    if decision.claims.epoch.is_some_and(|seen| seen != tip.epoch) {
        return Ok(false);
    }
    // encrypted for a subject that was erased meanwhile
    if let Values::Sealed(sealed) = &decision.values
        && log.keys.is_erased(sealed.subject)
    {
        return Ok(false);
    }
    let standing = standings.get(&decision.agent);
    // the entry names a passport: it must be the agent's
    if standing.map(|standing| &standing.passport) != decision.passport.as_ref() {
        return Ok(false);
    }
    if decision.runs && !stops.admit(&decision.agent, decision.session.as_deref()) {
        return Ok(false);
    }
    // a refusal is recorded however the agent stands
    if decision.runs
        && let Some(standing) = standing
    {
        if standing.admits(micros(SystemTime::now()), tip.log_time).is_err() {
            return Ok(false);
        }
        trusted.believes(log.db, tip.size(), tip.epoch, &decision.agent)?;
    }
    Ok(true)
}

/// Notes that a grant runs its one call, that of the decision at this place. False, and nothing is noted, where it has run one, or is
/// a ticket that is not to the byte what it was when its signatures were verified: it may have been used since, cancelled or edited.
pub(super) fn consume(
    log: &Log<'_>,
    tip: &mut Tip,
    (agent, claims, grant): (&str, &Claims, &str),
    sequence: u64,
) -> Result<bool, StoreError> {
    let ticket = match &claims.ticket {
        TicketClaim::Granted(seen) => match tickets::is_as_seen(log.db, (agent, grant), seen)? {
            Some(place) => Some(place),
            None => return Ok(false),
        },
        // nobody verified anything of it
        _ if tickets::is_ticket(log.db, grant)? => return Ok(false),
        // a governor's own
        _ => None,
    };
    let noted = log
        .db
        .prepare_cached("INSERT OR IGNORE INTO consumed(name, seq) VALUES(?1, ?2)")?
        .execute(params![grant, sequence.cast_signed()])?;
    if noted == 0 {
        return Ok(false);
    }
    tip.consumed += 1;
    if let Some(place) = ticket {
        tickets::consume(log.db, (place, agent), sequence)?;
    }
    Ok(true)
}

pub(super) fn micros(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::AgentId;
    use crate::answer::wait;
    use crate::audit::entry::tests::{call, record};
    use crate::audit::entry::{Statement, statement};
    use crate::audit::{Committed, Disposition, Recorder as _};
    use crate::call::ToolCall;
    use crate::identity::{AgentState, Authority, Enrolment, Moment};
    use crate::interrupt::{Stop, Target};
    use crate::store::sqlite::interrupts::entry_of;
    use crate::store::{Store, StoreOptions};
    use crate::verdict::Decision as Said;

    /// One record, as two processes have it. What they write is judged already: only their transactions look at what was stopped since.
    struct Two {
        store: Store,
        other: Store,
        call: Arc<ToolCall>,
        dir: PathBuf,
    }

    impl Two {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("managed-agents-admission-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&dir);
            let open = || Store::open(StoreOptions::new(&dir).high_water(dir.join("mark"))).unwrap();
            Self {
                store: open(),
                other: open(),
                call: call("pay", &serde_json::json!({ "cents": 5 }), &[]),
                dir,
            }
        }

        fn commit(&self, decision: Said, disposition: Disposition) -> Committed {
            let made = record(&self.call, decision, disposition, &[]);
            wait(self.store.commit(made, Some(&self.call), Claims::default())).unwrap()
        }

        /// What runs ran until this was written by the other process, and is refused from then on; what does not run is recorded.
        fn runs_until(self, write: impl FnOnce(&Store)) {
            let runs = || self.commit(Said::Allow, Disposition::Allowed);
            assert!(matches!(runs(), Committed::Done(_)));
            write(&self.other);
            assert!(matches!(runs(), Committed::Stale));
            assert!(matches!(
                self.commit(Said::Deny, Disposition::Refused),
                Committed::Done(_)
            ));
            drop((self.store, self.other));
            std::fs::remove_dir_all(&self.dir).unwrap();
        }
    }

    #[test]
    fn what_runs_is_refused_by_its_own_transaction_once_another_process_stopped_it() {
        let two = Two::new("stopped");
        let agent = two.call.agent().clone();
        two.runs_until(|other| {
            let stop = entry_of(&Stop::of(Target::Agent(agent))).unwrap();
            wait(other.append(stop, true)).unwrap();
        });
    }

    #[test]
    fn what_runs_is_refused_by_its_own_transaction_once_another_process_suspended_its_agent() {
        let two = Two::new("suspended");
        let agent = two.call.agent().as_str().to_owned();
        let entry = |body: &str| {
            let stated = Statement::new("agent", SystemTime::now(), body).about_agent(&agent);
            statement(&stated).unwrap()
        };
        let now = Moment::now();
        let authority = Authority::generate(None, now).unwrap();
        let issued = authority
            .issue(&Enrolment::new(AgentId::parse(&agent).unwrap()), now)
            .unwrap();
        wait(two.store.append(entry(issued.passport().as_json()), true)).unwrap();
        let passport = authority.trust().verify(&[issued.passport().clone()]).unwrap();
        let suspended = authority
            .state(&passport, AgentState::Suspended, "test", None, Moment::now())
            .unwrap();
        two.runs_until(|other| {
            wait(other.append(entry(suspended.as_json()), true)).unwrap();
        });
    }
}
