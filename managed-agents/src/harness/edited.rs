//! A call that people approved with other arguments: the edited call is judged as any other, and what the judges say of it must be
//! what people were shown.

use std::sync::Arc;

use super::admit::{Case, Step};
use super::escalate::Said;
use super::judge::Judged;
#[cfg(feature = "sqlite")]
use super::people::{How, People, Question, lost};
use crate::approval::{Asking, Edit, Standing, TicketState, not_covered};
use crate::call::ToolCall;
#[cfg(feature = "sqlite")]
use crate::store::{Lookup, StoreError};
use crate::verdict::{Decision, EvaluationId, Reason};

/// What a call was before people edited it.
pub(super) struct Edited {
    /// The call that the ticket is bound to.
    call: Arc<ToolCall>,
    ticket: Arc<str>,
    edit: Edit,
    told: String,
}

impl Edited {
    /// What the model is told.
    pub(super) fn told(&self) -> &str {
        &self.told
    }
}

impl Case {
    /// People approved this call with other arguments: makes the call with those, and judges it.
    #[cold]
    pub(super) fn judge_edited(self, said: Said, ticket: Arc<str>, edit: &Edit) -> Step {
        let call = match edit.of(&self.call) {
            Ok(call) => call,
            Err(why) => return self.close(said, &ticket, Reason::new("edit_unfit", why)),
        };
        let edited = Edited {
            told: edit.told(&self.call, &call),
            edit: edit.clone(),
            ticket: Arc::clone(&ticket),
            call: Arc::clone(&self.call),
        };
        let case = Self {
            call,
            joined: Some(ticket),
            edited: Some(Arc::new(edited)),
            ..self
        };
        case.judge()
    }

    /// The edited call was judged: it runs where nobody denies it, and people were shown every reason to ask.
    #[cold]
    pub(super) fn rule_edited(self, judged: Judged, evaluation: EvaluationId) -> Step {
        let Some(edited) = self.edited.clone() else {
            return self.denied((judged, evaluation), None);
        };
        let inner = self.scope.harness.inner();
        let said = (judged, evaluation);
        if said.0.verdict.decision() == Decision::Deny {
            return self.deny_edited(said, &edited.ticket);
        }
        // people behind the governor have seen the call as it was, and who cannot be asked has judged nothing
        let governor = &inner.governor;
        let others = said.0.by_governor
            && governor
                .resolution(&self.call, &said.1, std::time::Duration::ZERO)
                .is_some();
        if others || said.0.fail_open {
            return self.close(said, &edited.ticket, not_covered());
        }
        #[cfg(feature = "sqlite")]
        if let Some(people) = &inner.people {
            let people = Arc::clone(people);
            let found = people.look(&edited.call);
            return self.then(found, move |case, found| {
                case.found_edited(&people, found, said, &edited)
            });
        }
        let asked = Asking {
            call: &edited.call,
            reasons: said.0.verdict.reasons(),
            needed: said.0.verdict.approvers(),
            rules: inner.rules(&said.0.verdict),
            now: inner.clock.now(),
            joined: Some(&edited.ticket),
            edit: Some(&edited.edit),
        };
        match inner.approvals.standing(&asked) {
            Standing::Granted(ticket) => self.grant(said, ticket),
            Standing::Refused { ticket, reason } => self.refused(said, ticket, reason),
            Standing::Pending(ticket) | Standing::Edited { ticket, .. } => self.refused(said, Some(ticket), changed()),
        }
    }

    /// Refuses the call, and closes the ticket.
    fn close(self, (judged, evaluation): Said, ticket: &Arc<str>, reason: Reason) -> Step {
        let judged = self.closing(judged, ticket, TicketState::Cancelled);
        self.refused((judged, evaluation), Some(Arc::clone(ticket)), reason)
    }

    /// The judges deny the edited call: what was approved is worth nothing.
    fn deny_edited(self, (judged, evaluation): Said, ticket: &Arc<str>) -> Step {
        let judged = self.closing(judged, ticket, TicketState::Cancelled);
        self.denied((judged, evaluation), Some(Arc::clone(ticket)))
    }

    #[cfg_attr(
        not(feature = "sqlite"),
        expect(unused_variables, reason = "in memory a closed ticket is gone")
    )]
    fn closing(&self, judged: Judged, ticket: &Arc<str>, state: TicketState) -> Judged {
        let inner = self.scope.harness.inner();
        #[cfg(feature = "sqlite")]
        if inner.people.is_some() {
            let close = crate::approval::TicketClaim::Close(Arc::clone(ticket), state);
            return super::escalate::with_claims(judged, |claims| crate::governor::Claims {
                ticket: close,
                ..claims
            });
        }
        inner.approvals.close(ticket);
        judged
    }
}

/// Tickets beside a durable record.
#[cfg(feature = "sqlite")]
impl Case {
    fn found_edited(
        self,
        people: &Arc<People>,
        found: Result<Lookup, StoreError>,
        said: Said,
        edited: &Arc<Edited>,
    ) -> Step {
        let found = match found {
            Ok(found) => found,
            Err(error) => return self.unreadable(said, &error),
        };
        if found.ticket.as_ref().is_none_or(|found| found.id != edited.ticket) {
            let state = people.state(&edited.ticket);
            let edited = Arc::clone(edited);
            return self.then(state, move |case, state| match state {
                Err(error) => case.unreadable(said, &error),
                Ok(state) => {
                    let ticket = Some(Arc::clone(&edited.ticket));
                    case.refused(said, ticket, lost(state).unwrap_or_else(changed))
                }
            });
        }
        let inner = self.scope.harness.inner();
        let question = Question {
            call: &edited.call,
            reasons: said.0.verdict.reasons(),
            needed: said.0.verdict.approvers(),
            rules: inner.rules(&said.0.verdict),
            edit: Some(&edited.edit),
            now: inner.clock.now(),
        };
        let stands = people.stands(&found, &question);
        match stands.how {
            How::Granted(ticket, seen) => {
                let (judged, evaluation) = said;
                let judged = super::escalate::seen_in(judged, stands.epoch, seen);
                self.grant((judged, evaluation), ticket)
            }
            How::Refused {
                ticket: Some(ticket),
                reason,
                close: Some(state),
            } => {
                let (judged, evaluation) = said;
                let judged = self.closing(judged, &ticket, state);
                self.refused((judged, evaluation), Some(ticket), reason)
            }
            How::Refused { ticket, reason, .. } => self.refused(said, ticket, reason),
            How::Edited { ticket, .. } | How::Waits(ticket) => self.refused(said, Some(ticket), changed()),
            How::Opens { .. } => self.close(said, &edited.ticket, not_covered()),
        }
    }
}

/// Somebody decided otherwise while the edited call was judged.
fn changed() -> Reason {
    Reason::new(
        "approval_cancelled",
        "the ticket of this call was closed before it ran; repeat the call to ask again",
    )
}
