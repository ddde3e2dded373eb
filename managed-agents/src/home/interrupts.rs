//! Stops, and their ends, which the operator signs.

use super::Home;
use super::error::HomeError;
use crate::answer::wait;
use crate::approval::{ApproverKey, StatementKind};
use crate::audit::Sequence;
use crate::audit::entry::{Statement, statement};
use crate::identity::ResumeStatement;
use crate::interrupt::{InterruptError, InterruptErrorKind, Stop, StopRecord, Target};

impl Home {
    /// Records a stop: see [`Store::stop`](crate::store::Store::stop). It needs no key: whoever may write the record may stop.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the call does not run, or nothing can be written.
    pub fn stop(&self, stop: &Stop) -> Result<Sequence, HomeError> {
        Ok(wait(self.store().stop(stop))?)
    }

    /// Ends the stops of exactly this target, for a reason in snake case; none where nothing of it is stopped.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when there is a root approver, so that an order must be signed ([`resume_signed`](Self::resume_signed)), the
    /// authority's key is not here, or nothing can be written.
    pub fn resume(&self, target: &Target, reason: &str) -> Result<Option<ResumeStatement>, HomeError> {
        self.unsigned("resuming")?;
        Ok(self.end(target, reason, None)?.map(|(ended, _)| ended))
    }

    /// The same by an order that an enrolled approver signs; the authority's key is needed as well.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the key is not enrolled, the authority's key is not here, or nothing can be written.
    pub fn resume_signed(
        &self,
        target: &Target,
        reason: &str,
        key: &ApproverKey,
    ) -> Result<Option<ResumeStatement>, HomeError> {
        Ok(self.end(target, reason, Some(key))?.map(|(ended, _)| ended))
    }

    /// The stops that hold, oldest first.
    ///
    /// # Errors
    ///
    /// [`HomeError`] when the record cannot be read.
    pub fn stops(&self) -> Result<Vec<StopRecord>, HomeError> {
        Ok(self.store().reader()?.stops()?)
    }

    fn end(
        &self,
        target: &Target,
        reason: &str,
        key: Option<&ApproverKey>,
    ) -> Result<Option<(ResumeStatement, Sequence)>, HomeError> {
        let authority = self.authority().ok_or_else(|| HomeError::no_authority("resuming"))?;
        let reader = self.store().reader()?;
        let stops = reader.stops()?;
        let of_target = stops.iter().filter(|record| record.stop().target() == target);
        let ends: Vec<u64> = of_target
            .filter_map(|record| record.place().map(Sequence::get))
            .collect();
        if ends.is_empty() {
            return Ok(None);
        }
        let now = self.now();
        let origin = reader.head()?.origin().to_owned();
        let ended = authority.resume(target, ends, &origin, reason, now)?;
        if let Some(key) = key {
            let about = [("target", target.to_string()), ("reason", reason.to_owned())];
            self.order(StatementKind::Resume, about, key)?;
        }
        let mut entry = Statement::new("interrupt", now.into(), ended.as_json());
        if let Target::Agent(agent) = target {
            entry = entry.about_agent(agent.as_str());
        }
        let place = wait(self.store().append(statement(&entry)?, true))?;
        Ok(Some((ended, place)))
    }

    /// The same, as a harness is told it.
    pub(super) fn end_for_harness(&self, target: &Target, reason: &str) -> Result<Sequence, InterruptError> {
        use super::HomeErrorKind::{Identity, NoAuthority, People};
        match self.unsigned("resuming").and_then(|()| self.end(target, reason, None)) {
            Ok(Some((_, place))) => Ok(place),
            Ok(None) => Err(InterruptError::new(
                InterruptErrorKind::NotStopped,
                format!("`{}` is not stopped", target.to_string().escape_debug()),
            )),
            Err(error) => {
                let kind = match error.kind() {
                    NoAuthority | People => InterruptErrorKind::NotAllowed,
                    Identity(_) => InterruptErrorKind::Input,
                    _ => InterruptErrorKind::Unrecorded,
                };
                Err(InterruptError::new(kind, error.to_string()))
            }
        }
    }
}
