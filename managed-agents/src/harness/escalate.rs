//! The people of this harness: whether an escalated call was approved, and what it waits for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::admit::{Admission, Case, Ruling, Step, settled};
use super::judge::Judged;
#[cfg(feature = "sqlite")]
use super::people::{How, People, Question, Recalled, lost};
#[cfg(feature = "sqlite")]
use super::scope::Waits;
use crate::answer::Answer;
#[cfg(feature = "sqlite")]
use crate::answer::wait;
use crate::approval::{Asking, Standing};
#[cfg(feature = "sqlite")]
use crate::approval::{Opening, STORED, Seen, TicketClaim, TicketState, ticket_id};
use crate::audit::Disposition;
#[cfg(feature = "sqlite")]
use crate::error::DenialKind;
use crate::error::GovernanceDenied;
use crate::governor::{Claims, Held};
#[cfg(feature = "sqlite")]
use crate::store::{Lookup, StoreError};
use crate::verdict::{EvaluationId, Reason, Verdict};

/// What the judges said, and the name of the evaluation.
pub(super) type Said = (Judged, EvaluationId);

impl Case {
    /// An escalated call: it waits for the people of this harness, or they have decided.
    pub(super) fn escalate_here(self, judged: Judged, evaluation: EvaluationId, remote: bool) -> Step {
        let inner = self.scope.harness.inner();
        #[cfg(feature = "sqlite")]
        if let Some(people) = &inner.people {
            let people = Arc::clone(people);
            let first = self.attempts == 1;
            match people.recall(&self.call) {
                Recalled::Nothing if first && self.joined.is_none() => {
                    return self.open(&people, (judged, evaluation), None);
                }
                Recalled::Found { lookup, own } if first && !remote => {
                    return self.foreseen(&people, &lookup, (judged, evaluation), own);
                }
                _ => {}
            }
            let found = people.look(&self.call);
            return self.then(found, move |case, found| {
                case.found(&people, found, (judged, evaluation), remote)
            });
        }
        let joined = self.joined.as_deref();
        let asked = Asking {
            call: &self.call,
            reasons: judged.verdict.reasons(),
            needed: judged.verdict.approvers(),
            rules: inner.rules(&judged.verdict),
            now: inner.clock.now(),
            joined,
            edit: None,
        };
        match inner.approvals.standing(&asked) {
            // the people here have decided; those behind the governor are asked as well
            Standing::Granted(ticket) if remote => Err(self.queue(judged, evaluation, Some(ticket), true)),
            Standing::Granted(ticket) => self.grant((judged, evaluation), ticket),
            Standing::Edited { ticket, edit } => self.judge_edited((judged, evaluation), ticket, &edit),
            Standing::Pending(ticket) => Err(self.queue(judged, evaluation, Some(ticket), false)),
            Standing::Refused { ticket, reason } => self.refused((judged, evaluation), ticket, reason),
        }
    }

    /// A denied call: an approval of it is worth nothing any more.
    #[cold]
    pub(super) fn deny(self, judged: Judged, evaluation: EvaluationId) -> Step {
        let inner = self.scope.harness.inner();
        #[cfg(feature = "cli")]
        if inner.judging_only {
            return self.denied((judged, evaluation), None);
        }
        #[cfg(feature = "sqlite")]
        if let Some(people) = &inner.people {
            if self.attempts == 1 {
                // the transaction finds whether it was approved
                let call = Arc::clone(&self.call);
                let judged = with_claims(judged, |claims| Claims {
                    ticket: TicketClaim::Unapproved(call),
                    ..claims
                });
                let case = Self {
                    unapproved: true,
                    ..self
                };
                return case.denied((judged, evaluation), None);
            }
            let found = people.look(&self.call);
            return self.then(found, move |case, found| {
                let approved = found
                    .ok()
                    .and_then(|found| found.ticket)
                    .filter(|ticket| matches!(ticket.state, TicketState::Approved | TicketState::Edited));
                let Some(ticket) = approved.map(|ticket| Arc::clone(&ticket.id)) else {
                    return case.denied((judged, evaluation), None);
                };
                let close = TicketClaim::Close(Arc::clone(&ticket), TicketState::Cancelled);
                let judged = with_claims(judged, |claims| Claims {
                    ticket: close,
                    ..claims
                });
                case.denied((judged, evaluation), Some(ticket))
            });
        }
        let ticket = inner.approvals.denied(&self.call);
        self.denied((judged, evaluation), ticket)
    }

    /// It may be approved: that is looked up. A denial stands, and nobody is asked again.
    #[cold]
    pub(super) fn deny_again(self, ruling: Ruling) -> Step {
        let case = Self {
            attempts: self.attempts + 1,
            unapproved: false,
            ..self
        };
        case.deny(ruling.judged, ruling.evaluation)
    }

    /// Refuses what the judges deny; `ticket` is that of an approval that it had.
    pub(super) fn denied(self, (judged, evaluation): Said, ticket: Option<Arc<str>>) -> Step {
        let judged = match &ticket {
            Some(_) => Judged {
                verdict: Verdict::deny(changed()).restricted_by(judged.verdict),
                ..judged
            },
            None => judged,
        };
        self.commit(Ruling {
            judged,
            evaluation,
            disposition: Disposition::Refused,
            ticket,
            held: Held::default(),
            traits: None,
        })
    }

    /// Lets the call run, and its ticket be consumed by its record.
    pub(super) fn grant(self, (judged, evaluation): Said, ticket: Arc<str>) -> Step {
        // if another call uses it first, this one is told so
        let joined = Some(Arc::clone(&ticket));
        self.grant_joined((judged, evaluation), ticket, joined)
    }

    fn grant_joined(self, (judged, evaluation): Said, ticket: Arc<str>, joined: Option<Arc<str>>) -> Step {
        let grant = Arc::clone(&ticket);
        let judged = with_claims(judged, |claims| Claims {
            grant: Some(grant),
            ..claims
        });
        let case = Self { joined, ..self };
        case.commit(Ruling {
            judged,
            evaluation,
            disposition: Disposition::Approved,
            ticket: Some(ticket),
            held: Held::default(),
            traits: None,
        })
    }

    pub(super) fn refused(self, (judged, evaluation): Said, ticket: Option<Arc<str>>, reason: Reason) -> Step {
        self.commit(Ruling {
            judged: Judged {
                verdict: judged.verdict.restricted_by(Verdict::deny(reason)),
                ..judged
            },
            evaluation,
            disposition: Disposition::Refused,
            ticket,
            held: Held::default(),
            traits: None,
        })
    }

    /// Waits for the people of this harness; when one has decided, the call is judged anew.
    pub(super) fn wait_here(
        self,
        (ticket, evaluation): (Option<Arc<str>>, EvaluationId),
        patience: Duration,
        denied: GovernanceDenied,
    ) -> Admission {
        // a call that has waited and found other reasons does not wait again
        let (Some(ticket), None) = (ticket, &self.joined) else {
            return Answer::ready(Err(denied));
        };
        Answer::later(async move {
            if tokio::runtime::Handle::try_current().is_err() {
                return Err(denied);
            }
            let decided = tokio::time::timeout(patience, self.decided(&ticket));
            // a call that is stopped while it waits is judged anew, which says so
            if let Some(Err(_)) = self.unless_stopped(&evaluation, decided).await {
                return Err(denied.undecided());
            }
            let case = Self {
                attempts: 1,
                joined: Some(ticket),
                ..self
            };
            settled(case.judge()).await
        })
    }

    fn decided(&self, ticket: &Arc<str>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let inner = self.scope.harness.inner();
        #[cfg(feature = "sqlite")]
        if let Some(people) = &inner.people {
            return Box::pin(people.decided(ticket));
        }
        Box::pin(inner.approvals.decided(ticket))
    }
}

/// Tickets beside a durable record.
#[cfg(feature = "sqlite")]
impl Case {
    /// Goes on with an answer, at once if it is there or this thread may wait.
    pub(super) fn then<T: Send + Unpin + 'static>(
        self,
        answer: Answer<T>,
        go_on: impl FnOnce(Self, T) -> Step + Send + 'static,
    ) -> Step {
        match answer.now() {
            Ok(answer) => go_on(self, answer),
            Err(later) if self.scope.waits == Waits::Yes && self.scope.harness.inner().recorder.may_be_waited_for() => {
                let answer = wait(later);
                go_on(self, answer)
            }
            Err(later) => Err(Answer::later(async move {
                let answer = later.await;
                settled(go_on(self, answer)).await
            })),
        }
    }

    fn found(self, people: &Arc<People>, found: Result<Lookup, StoreError>, said: Said, remote: bool) -> Step {
        let found = match found {
            Ok(found) => found,
            Err(error) => return self.unreadable(said, &error),
        };
        if let (None, Some(joined)) = (&found.ticket, &self.joined) {
            let state = people.state(joined);
            let people = Arc::clone(people);
            return self.then(state, move |case, state| match state {
                Err(error) => case.unreadable(said, &error),
                Ok(state) => match (lost(state), case.joined.clone()) {
                    (Some(reason), ticket) => case.refused(said, ticket, reason),
                    (None, _) => case.stands(&people, &found, said, remote),
                },
            });
        }
        self.stands(people, &found, said, remote)
    }

    /// What the call asks of people, as it was judged.
    fn question<'q>(&'q self, judged: &'q Judged) -> Question<'q> {
        let inner = self.scope.harness.inner();
        Question {
            call: &self.call,
            reasons: judged.verdict.reasons(),
            needed: judged.verdict.approvers(),
            rules: inner.rules(&judged.verdict),
            edit: None,
            now: inner.clock.now(),
        }
    }

    /// An approval that was read before the call came: it is verified now, and runs the call if nothing at all has changed since. In
    /// every other case the record is looked at.
    fn foreseen(self, people: &Arc<People>, lookup: &Lookup, (judged, evaluation): Said, own: bool) -> Step {
        let stands = people.stands(lookup, &self.question(&judged));
        let How::Granted(ticket, seen) = stands.how else {
            let (found, people) = (people.look(&self.call), Arc::clone(people));
            return self.then(found, move |case, found| {
                case.found(&people, found, (judged, evaluation), false)
            });
        };
        let judged = seen_in(judged, stands.epoch, seen);
        if own {
            return self.grant((judged, evaluation), ticket);
        }
        // whoever finds it used or closed has not been joined to it: as if it had never been read
        let joined = self.joined.clone();
        self.grant_joined((judged, evaluation), ticket, joined)
    }

    fn stands(self, people: &Arc<People>, found: &Lookup, (judged, evaluation): Said, remote: bool) -> Step {
        let stands = people.stands(found, &self.question(&judged));
        match stands.how {
            // the people here have decided; those behind the governor are asked as well
            How::Granted(ticket, seen) if remote => {
                let grant = Arc::clone(&ticket);
                let judged = with_claims(seen_in(judged, stands.epoch, seen), |claims| Claims {
                    grant: Some(grant),
                    ..claims
                });
                Err(self.queue(judged, evaluation, Some(ticket), true))
            }
            How::Granted(ticket, seen) => self.grant((seen_in(judged, stands.epoch, seen), evaluation), ticket),
            How::Edited { ticket, edit } => self.judge_edited((judged, evaluation), ticket, &edit),
            How::Waits(ticket) => Err(self.queue(judged, evaluation, Some(ticket), false)),
            How::Opens { replaces } => self.open(people, (judged, evaluation), replaces),
            How::Refused { ticket, reason, close } => {
                let claim = match (&ticket, close) {
                    (Some(ticket), Some(state)) => TicketClaim::Close(Arc::clone(ticket), state),
                    _ => TicketClaim::None,
                };
                let judged = with_claims(judged, |claims| Claims {
                    ticket: claim,
                    ..claims
                });
                self.refused((judged, evaluation), ticket, reason)
            }
        }
    }

    /// Opens a ticket with the record that says that the call waits.
    fn open(self, people: &People, (judged, evaluation): Said, replaces: Option<Arc<str>>) -> Step {
        let inner = self.scope.harness.inner();
        let nonce = match crate::call::Salt::fresh() {
            Ok(nonce) => nonce,
            Err(error) => {
                let reason = Reason::new("no_entropy", "the call cannot be queued").with_detail(error.to_string());
                return self.refused((judged, evaluation), None, reason);
            }
        };
        let id: Arc<str> = ticket_id(STORED, &nonce).into();
        let now = inner.clock.now();
        let settings = people.settings();
        let opening = Opening {
            id: Arc::clone(&id),
            call: Arc::clone(&self.call),
            reasons: judged.verdict.reasons().to_vec(),
            needed: judged.verdict.approvers(),
            rules: inner.rules(&judged.verdict),
            opened: now,
            expires: now + settings.lifetime,
            most_pending: settings.most_pending,
            replaces,
        };
        let claim = TicketClaim::Open(Arc::new(opening));
        let judged = with_claims(judged, |claims| Claims {
            ticket: claim,
            ..claims
        });
        Err(self.queue(judged, evaluation, Some(id), false))
    }

    pub(super) fn unreadable(self, (judged, evaluation): Said, error: &StoreError) -> Step {
        let reason = Reason::new(
            error.code(),
            "whether a person approved this call cannot be read; it was not run",
        )
        .with_detail(error.to_string());
        let judged = Judged {
            kind: DenialKind::Unavailable,
            ..judged
        };
        self.refused((judged, evaluation), None, reason)
    }
}

/// The same, by a ticket of which this was seen in an epoch of the log.
#[cfg(feature = "sqlite")]
pub(super) fn seen_in(judged: Judged, epoch: u64, seen: Seen) -> Judged {
    with_claims(judged, |claims| Claims {
        epoch: claims.epoch.or(Some(epoch)),
        ticket: TicketClaim::Granted(seen),
        ..claims
    })
}

/// The same with other claims.
pub(super) fn with_claims(judged: Judged, change: impl FnOnce(Claims) -> Claims) -> Judged {
    let claims = judged.claims.map_or_else(Claims::default, |claims| *claims);
    Judged {
        claims: Some(Box::new(change(claims))),
        ..judged
    }
}

/// A call that was approved is denied by now.
fn changed() -> Reason {
    Reason::new(
        "changed_since_approval",
        "this call was approved, and is denied by now; the approval is worth nothing any more",
    )
}
