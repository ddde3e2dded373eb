//! The way of a call up to its body: judged, recorded, and only then admitted.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::draft::{Draft, Failure, Odd, Taken};
use super::guard::Guard;
use super::judge::{Judged, Said, bound, judge};
use super::plain;
use super::scope::{Scope, Waits, parent};
use super::span;
use crate::answer::{Answer, wait};
use crate::audit::{
    Committed, DecisionRecord, Disposition, Event, RecordDetails, RecordError, Sequence, Stopped, Traits, TrustNote,
    What, micros,
};
use crate::call::{Digest, Head, ToolCall};
use crate::error::{DenialKind, GovernanceDenied};
use crate::governor::{Claims, GovernorError, Held};
use crate::limit;
use crate::verdict::{Decision, EvaluationId, Reason, Verdict};

/// How often a call is judged when what its verdict rests on keeps changing.
const MOST_ATTEMPTS: u8 = 3;

/// Whether a call may run, and then the guard of it: its decision is recorded.
pub(super) type Admission = Answer<Result<Guard, GovernanceDenied>>;

/// The same on its way through the functions below, which make no `Answer` of what is there at once: each move of the
/// guard costs as much as judging.
pub(super) type Step = Result<Result<Guard, GovernanceDenied>, Admission>;

/// Judges and records a call of a governed function.
#[inline(always)]
pub(super) fn admit(scope: Scope, draft: &mut Draft) -> Step {
    let taken = take(&scope, draft);
    admit_taken(scope, taken)
}

/// The call out of its draft.
#[inline(always)]
pub(super) fn take(scope: &Scope, draft: &mut Draft) -> Taken {
    let session = scope.session.as_ref().map(|session| session.as_id());
    let place = scope.harness.inner().heads.place_of(draft.meta());
    draft.take_call(place, session, parent())
}

/// Judges and records what was taken out of a draft.
pub(super) fn admit_taken(scope: Scope, taken: Taken) -> Step {
    match taken {
        Ok(call) => admit_call(scope, call),
        Err(odd) => admit_odd(scope, *odd),
    }
}

/// What a step came to, for who can wait.
pub(super) fn settled(step: Step) -> Admission {
    step.map_or_else(|later| later, Answer::ready)
}

#[cold]
fn admit_odd(scope: Scope, odd: Odd) -> Step {
    let (call, judged) = match odd {
        Odd::Exact(call, judged) => (call, judged),
        Odd::Refused(head, failure) => return Err(refuse(scope, head, failure)),
    };
    Err(settled(admit_call(scope, call)).then(move |admitted| {
        if let Ok(admitted) = &admitted {
            judged.set(admitted.arguments());
        }
        Answer::ready(admitted)
    }))
}

/// Judges and records a call.
pub(super) fn admit_call(scope: Scope, call: Arc<ToolCall>) -> Step {
    match admit_call_in(scope, call, Back) {
        Ok(guard) => Ok(Ok(guard)),
        Err(step) => step,
    }
}

/// Where the guard of a call that every judge plainly allows is made: it is never moved there.
pub(super) trait Place {
    /// What is given back then.
    type Held;

    /// Takes the guard; inlined, so that it is made here.
    fn hold(self, guard: Guard) -> Self::Held;
}

/// Gives the guard back.
struct Back;

impl Place for Back {
    type Held = Guard;

    #[inline(always)]
    fn hold(self, guard: Guard) -> Guard {
        guard
    }
}

/// The same; the guard of a call that every judge plainly allows is made in its place.
#[inline(always)]
pub(super) fn admit_call_in<P: Place>(scope: Scope, call: Arc<ToolCall>, place: P) -> Result<P::Held, Step> {
    let span = span::of(&call);
    let inner = scope.harness.inner();
    // memory keeps no agents, so it stops none
    if inner.memory.is_none()
        && let Err(stopped) = inner.recorder.admits(call.agent(), inner.clock.now())
    {
        return Err(Case::new(scope, call, span).stop(&stopped, DenialKind::Denied));
    }
    if let Err(stopped) = inner.interrupts.admits(&call) {
        return Err(Case::new(scope, call, span).stop(&stopped, DenialKind::Interrupted));
    }
    match judge(&scope.harness, &call) {
        Ok(Said::Allow(basis)) => match plain::record(inner, &call, basis) {
            Ok(recorded) => Ok(place.hold(recorded.admit(scope, call, span))),
            Err(basis) => Err(Case::new(scope, call, span).rule(Judged::plainly_allowed(basis))),
        },
        Ok(Said::More(judged)) => Err(Case::new(scope, call, span).rule(judged)),
        Err(later) => Err(Case::new(scope, call, span).judge_later(later)),
    }
}

/// Records that a call was refused before it could be judged.
#[cold]
pub(super) fn refuse(scope: Scope, head: Arc<Head>, failure: Failure) -> Admission {
    let denied = failure.denial(head.meta().name());
    refuse_as(scope, head, denied)
}

/// Records that a call of a governed function was refused before it reached its gate, in the harness that is in scope.
#[cfg(feature = "toolbox")]
pub(crate) async fn refused(meta: &'static crate::call::ToolMeta, code: &'static str, for_model: &'static str) {
    if let Ok(scope) = Scope::current() {
        let head = scope.harness.inner().heads.of_function(meta);
        record_unjudged(scope, head, code, for_model).await;
    }
}

/// Records that a call of a name that is no tool's was refused, in the harness that is in scope.
#[cfg(feature = "toolbox")]
pub(crate) async fn refused_by_name(name: &str, code: &'static str, for_model: &'static str) {
    if let Ok(scope) = Scope::current() {
        let name: String = name.chars().take(200).collect();
        let head = scope.harness.inner().heads.of_name(&name);
        record_unjudged(scope, head, code, for_model).await;
    }
}

#[cfg(feature = "toolbox")]
async fn record_unjudged(scope: Scope, head: Arc<Head>, code: &'static str, for_model: &'static str) {
    let denied = GovernanceDenied::new(DenialKind::InvalidArguments, code, for_model).with_tool(head.meta().name());
    // the call is refused whether or not that can be recorded
    let _ = refuse_as(scope, head, denied).await;
}

/// Records a refusal that no verdict gave.
pub(super) fn refuse_as(scope: Scope, head: Arc<Head>, denied: GovernanceDenied) -> Admission {
    refuse_again(scope, head, denied, 1)
}

fn refuse_again(scope: Scope, head: Arc<Head>, denied: GovernanceDenied, attempt: u8) -> Admission {
    let inner = scope.harness.inner();
    let evaluation = inner.next_evaluation();
    let denied = denied.with_evaluation_id(&evaluation);
    let reason = Reason::new(denied.code().to_owned(), denied.reason_for_model().to_owned());
    let verdict = Verdict::deny(reason).with_evaluation_id(evaluation.clone());
    let details = RecordDetails {
        parent: parent(),
        codes: vec![denied.code().to_owned().into()],
        ..RecordDetails::default()
    };
    let record = DecisionRecord {
        at: inner.clock.now(),
        evaluation_id: evaluation,
        head,
        session: scope.session.as_ref().map(|session| session.id()),
        digest: Digest::ZERO,
        judged: false,
        decision: Decision::Deny,
        disposition: Disposition::Refused,
        rules: None,
        trust: None,
        basis: None,
        details: details.into_option(),
    };
    inner
        .recorder
        .commit(record.clone(), None, Claims::default())
        .then(move |committed| {
            // a refusal rests on nothing that can change, but its entry may name what has
            if let (Ok(Committed::Stale), true) = (&committed, attempt < MOST_ATTEMPTS) {
                return refuse_again(scope, record.head, denied, attempt + 1);
            }
            if let Ok(Committed::Done(place)) = &committed {
                scope.hear(*place, record.at, &record.head, Traits::of(&record, None));
            }
            scope.tell(&record, &verdict);
            Answer::ready(Err(match committed {
                Ok(_) => denied,
                Err(error) => unrecorded(record.tool(), &error),
            }))
        })
}

fn unrecorded(tool: &str, error: &RecordError) -> GovernanceDenied {
    GovernanceDenied::new(
        DenialKind::Unrecorded,
        error.code(),
        "the call could not be recorded, so it was not run",
    )
    .with_detail(error.to_string())
    .with_tool(tool)
    .retryable()
}

/// A call on its way to a decision.
pub(super) struct Case {
    pub(super) scope: Scope,
    pub(super) call: Arc<ToolCall>,
    pub(super) span: Option<Box<tracing::Span>>,
    pub(super) attempts: u8,
    /// The ticket that it has waited for or tried to use.
    pub(super) joined: Option<Arc<str>>,
    /// It is denied, and taken for one that nobody has approved.
    #[cfg(feature = "engine")]
    pub(super) unapproved: bool,
    /// The call is one that people edited.
    #[cfg(feature = "engine")]
    pub(super) edited: Option<Arc<super::edited::Edited>>,
}

/// What is about to be recorded of a case.
pub(super) struct Ruling {
    pub(super) judged: Judged,
    pub(super) evaluation: EvaluationId,
    pub(super) disposition: Disposition,
    pub(super) ticket: Option<Arc<str>>,
    /// Given back with the ruling, unless the call runs.
    pub(super) held: Held,
    /// When it is recorded, and what shows of it in behaviour.
    pub(super) traits: Option<(SystemTime, Traits)>,
}

impl Case {
    fn new(scope: Scope, call: Arc<ToolCall>, span: Option<Box<tracing::Span>>) -> Self {
        Self {
            scope,
            call,
            span,
            attempts: 1,
            joined: None,
            #[cfg(feature = "engine")]
            unapproved: false,
            #[cfg(feature = "engine")]
            edited: None,
        }
    }

    /// Judges the call again.
    pub(super) fn judge(self) -> Step {
        let inner = self.scope.harness.inner();
        if let Err(stopped) = inner.recorder.admits(self.call.agent(), inner.clock.now()) {
            return self.stop(&stopped, DenialKind::Denied);
        }
        if let Err(stopped) = inner.interrupts.admits(&self.call) {
            return self.stop(&stopped, DenialKind::Interrupted);
        }
        match judge(&self.scope.harness, &self.call) {
            Ok(Said::Allow(basis)) => self.rule(Judged::plainly_allowed(basis)),
            Ok(Said::More(judged)) => self.rule(judged),
            Err(later) => self.judge_later(later),
        }
    }

    /// The agent may not act, or an interrupt holds: nobody is asked, and no mode but that of judgement is suspended (law 6).
    #[cold]
    fn stop(self, stopped: &Stopped, kind: DenialKind) -> Step {
        let for_model = if kind == DenialKind::Interrupted {
            "an operator has stopped this; the call was not run: do not try again until you are told to"
        } else {
            "this agent was stopped; its calls are not run"
        };
        let reason = Reason::new(stopped.code().to_owned(), for_model).with_detail(stopped.to_string());
        let ruling = Ruling {
            judged: Judged {
                verdict: Verdict::deny(reason),
                // another process may have let it act again
                claims: stopped.epoch().map(|epoch| {
                    Box::new(Claims {
                        epoch: Some(epoch),
                        ..Claims::default()
                    })
                }),
                kind,
                by_governor: false,
                by_screen: false,
                fail_open: false,
            },
            evaluation: self.scope.harness.inner().next_evaluation(),
            disposition: Disposition::Refused,
            ticket: None,
            held: Held::default(),
            traits: None,
        };
        self.commit(ruling)
    }

    #[cold]
    fn judge_later(self, later: Answer<Judged>) -> Step {
        Err(Answer::later(async move { settled(self.rule(later.await)).await }))
    }

    /// The verdict, and what the harness makes of it.
    fn rule(self, judged: Judged) -> Step {
        let inner = self.scope.harness.inner();
        let evaluation = match judged.verdict.evaluation_id() {
            Some(id) => id.clone(),
            None => inner.next_evaluation(),
        };
        #[cfg(feature = "engine")]
        if self.edited.is_some() {
            return self.rule_edited(judged, evaluation);
        }
        let disposition = match judged.verdict.decision() {
            _ if inner.observe_only => Disposition::Observed,
            #[cfg(feature = "engine")]
            Decision::Deny => return self.deny(judged, evaluation),
            Decision::Allow if judged.fail_open => Disposition::FailOpen,
            Decision::Allow => Disposition::Allowed,
            #[cfg(not(feature = "engine"))]
            Decision::Deny => Disposition::Refused,
            Decision::Escalate if self.may_proceed_unapproved(&judged) => Disposition::ProceededUnapproved,
            Decision::Escalate => return self.escalate(judged, evaluation),
        };
        self.commit(Ruling {
            judged,
            evaluation,
            disposition,
            ticket: None,
            held: Held::default(),
            traits: None,
        })
    }

    /// The last row of the escalation table: only a governor's escalation, and never of a grave call.
    fn may_proceed_unapproved(&self, judged: &Judged) -> bool {
        let inner = self.scope.harness.inner();
        inner.fail_open
            && !inner.block_on_escalate
            && judged.by_governor
            && !judged.by_screen
            && !self.call.meta().is_grave()
    }

    /// Who is asked: the people behind the governor for what it escalated itself, if it has any; else this harness's own.
    #[cold]
    fn escalate(self, judged: Judged, evaluation: EvaluationId) -> Step {
        #[cfg(feature = "cli")]
        if self.scope.harness.inner().judging_only {
            return Err(self.queue(judged, evaluation, None, false));
        }
        let governor = &self.scope.harness.inner().governor;
        let remote = judged.by_governor
            && governor
                .resolution(&self.call, &evaluation, std::time::Duration::ZERO)
                .is_some();
        if remote && !judged.by_screen {
            let ticket = Some(evaluation.to_string().into());
            return Err(self.queue(judged, evaluation, ticket, true));
        }
        self.escalate_here(judged, evaluation, remote)
    }

    #[cfg(not(feature = "engine"))]
    fn escalate_here(self, judged: Judged, evaluation: EvaluationId, _remote: bool) -> Step {
        Err(self.queue(judged, evaluation, None, false))
    }

    /// Records that the call waits for people, and then waits or refuses.
    pub(super) fn queue(
        self,
        judged: Judged,
        evaluation: EvaluationId,
        ticket: Option<Arc<str>>,
        remote: bool,
    ) -> Admission {
        let case = Self {
            scope: self.scope.clone(),
            call: Arc::clone(&self.call),
            span: self.span.clone(),
            attempts: self.attempts,
            joined: self.joined.clone(),
            #[cfg(feature = "engine")]
            unapproved: self.unapproved,
            #[cfg(feature = "engine")]
            edited: self.edited.clone(),
        };
        let claims = judged.claims.clone();
        let queued = self.commit(Ruling {
            judged,
            evaluation: evaluation.clone(),
            disposition: Disposition::Queued,
            ticket: ticket.clone(),
            held: Held::default(),
            traits: None,
        });
        settled(queued).then(move |result| {
            let denied = match result {
                Err(denied) if denied.kind() == DenialKind::Escalated => denied,
                settled => return Answer::ready(settled),
            };
            match case.scope.harness.inner().patience {
                Some(patience) if remote => case.wait_for_service(evaluation, patience, denied, claims),
                Some(patience) => case.wait_here((ticket, evaluation), patience, denied),
                None => Answer::ready(Err(denied)),
            }
        })
    }

    /// Waits for the people behind the governor; only an ALLOW for the same evaluation counts. What the judges said stays
    /// what is recorded of the decision: people approve an escalation, and their no restricts it.
    fn wait_for_service(
        self,
        evaluation: EvaluationId,
        patience: std::time::Duration,
        denied: GovernanceDenied,
        claims: Option<Box<Claims>>,
    ) -> Admission {
        let inner = self.scope.harness.inner();
        let Some(answer) = inner.governor.resolution(&self.call, &evaluation, patience) else {
            return Answer::ready(Err(denied));
        };
        match answer.now() {
            Ok(answer) => self.service_said(answer, evaluation, denied, claims),
            Err(later) => Answer::later(async move {
                match self.unless_stopped(&evaluation, later).await {
                    Some(answer) => self.service_said(answer, evaluation, denied, claims).await,
                    // judged anew, which says that it is stopped
                    None => settled(self.judge()).await,
                }
            }),
        }
    }

    fn service_said(
        self,
        answer: Result<Verdict, GovernorError>,
        evaluation: EvaluationId,
        denied: GovernanceDenied,
        claims: Option<Box<Claims>>,
    ) -> Admission {
        let asked = denied.verdict().cloned();
        let asked = asked.unwrap_or_else(|| Verdict::new(Decision::Escalate));
        let judged = |verdict, kind| Judged {
            verdict,
            claims,
            kind,
            by_governor: false,
            by_screen: false,
            fail_open: false,
        };
        let (judged, disposition) = match answer {
            Ok(verdict) => {
                let same = verdict.evaluation_id() == Some(&evaluation);
                let verdict = bound(&self.scope.harness, &self.call, verdict);
                match verdict.decision() {
                    Decision::Escalate => return Answer::ready(Err(denied.undecided())),
                    Decision::Allow if same => (judged(asked, DenialKind::Denied), Disposition::Approved),
                    Decision::Allow => {
                        let reason =
                            Reason::new("verdict_mismatched", "the approval is for another call; it was not run");
                        let verdict = asked.restricted_by(Verdict::deny(reason));
                        (judged(verdict, DenialKind::Denied), Disposition::Refused)
                    }
                    Decision::Deny => {
                        let verdict = asked.restricted_by(verdict);
                        (judged(verdict, DenialKind::Denied), Disposition::Refused)
                    }
                }
            }
            Err(error) => {
                let reason = Reason::new(
                    error.code().to_owned(),
                    "the governance service gave no answer on the approval; the call was not run",
                )
                .with_detail(error.detail().to_owned());
                (
                    judged(asked.restricted_by(Verdict::deny(reason)), DenialKind::Unavailable),
                    Disposition::Refused,
                )
            }
        };
        let ticket = Some(evaluation.to_string().into());
        settled(self.commit(Ruling {
            judged,
            evaluation,
            disposition,
            ticket,
            held: Held::default(),
            traits: None,
        }))
    }

    #[cfg(not(feature = "engine"))]
    fn wait_here(
        self,
        _asked: (Option<Arc<str>>, EvaluationId),
        _patience: std::time::Duration,
        denied: GovernanceDenied,
    ) -> Admission {
        Answer::ready(Err(denied))
    }

    /// Records the ruling, and then admits or refuses.
    pub(super) fn commit(self, mut ruling: Ruling) -> Step {
        let inner = self.scope.harness.inner();
        if ruling.disposition != Disposition::Refused && ruling.judged.is_counted() && !inner.recorder.keeps_counts() {
            return self.uncounted(ruling);
        }
        let verdict = &ruling.judged.verdict;
        let now = Instant::now();
        let details = if ruling.ticket.is_none() && verdict.is_bare() && !self.call.has_details() {
            None
        } else {
            self.details(&ruling)
        };
        let at = inner.clock.at(now);
        let mut record = DecisionRecord {
            at,
            evaluation_id: ruling.evaluation.clone(),
            head: Arc::clone(self.call.head()),
            session: self.call.shared_session(),
            digest: self.call.digest(),
            judged: true,
            decision: verdict.decision(),
            disposition: ruling.disposition,
            rules: inner.rules(verdict),
            trust: None,
            basis: verdict.basis().cloned(),
            details,
        };
        let traits = Traits::of(&record, Some(&self.call));
        let trust = inner.governor.trust(&self.call, at, traits.fault);
        record.trust = trust.map(TrustNote::from);
        ruling.traits = Some((at, traits));
        // only who listens pays for a copy
        let copy = (!inner.callbacks.is_empty()).then(|| record.clone());
        if let Some(claims) = &ruling.judged.claims {
            ruling.held = claims.held.clone();
        }
        let claims = match ruling.judged.claims.take() {
            None => Claims::default(),
            Some(claims) if ruling.disposition.runs() => *claims,
            Some(mut claims) => {
                // what does not run consumes nothing; what is refused has nothing to exceed
                claims.grant = None;
                if ruling.disposition != Disposition::Queued {
                    claims.held.counted = None;
                }
                *claims
            }
        };
        // a stop that comes from here on is seen by the transaction, or by the body before it begins
        let since = inner.interrupts.number();
        match inner.recorder.commit(record, Some(&self.call), claims).now() {
            Ok(committed) => self.committed(committed, ruling, copy.as_ref(), (now, since)),
            Err(later) if self.scope.waits == Waits::Yes && inner.recorder.may_be_waited_for() => {
                let committed = wait(later);
                self.committed(committed, ruling, copy.as_ref(), (Instant::now(), since))
            }
            Err(later) => self.commit_later(later, ruling, copy, since),
        }
    }

    /// What the record of a plainly allowed call lacks.
    #[cold]
    fn details(&self, ruling: &Ruling) -> Option<Box<RecordDetails>> {
        let reasons = ruling.judged.verdict.reasons().iter();
        let details = RecordDetails {
            parent: self.call.parent().cloned(),
            target: self.call.declared_target(),
            codes: reasons.map(|reason| reason.code().to_owned().into()).collect(),
            ticket: ruling.ticket.clone(),
            ..RecordDetails::default()
        };
        details.judged(&ruling.judged.verdict).into_option()
    }

    #[cold]
    fn commit_later(
        self,
        later: Answer<Result<Committed, RecordError>>,
        ruling: Ruling,
        copy: Option<DecisionRecord>,
        since: u64,
    ) -> Step {
        Err(Answer::later(async move {
            let committed = later.await;
            settled(self.committed(committed, ruling, copy.as_ref(), (Instant::now(), since))).await
        }))
    }

    #[inline(always)]
    fn committed(
        self,
        committed: Result<Committed, RecordError>,
        ruling: Ruling,
        record: Option<&DecisionRecord>,
        (started, since): (Instant, u64),
    ) -> Step {
        match committed {
            #[cfg(feature = "engine")]
            Ok(Committed::Stale) if self.unapproved => return self.deny_again(ruling),
            Ok(Committed::Stale) => return self.again(),
            Ok(Committed::Exceeded(at)) => return self.exceeded(ruling, at),
            Ok(Committed::Done(_)) | Err(_) => {}
        }
        let Ruling {
            mut judged,
            evaluation,
            disposition,
            ticket,
            held: _,
            traits,
        } = ruling;
        if record.is_some() || !disposition.runs() {
            judged.verdict = judged.verdict.with_evaluation_id(evaluation.clone());
        }
        if let Some(record) = record {
            self.scope.harness.inner().callbacks.tell(record, &judged.verdict);
        }
        if let (Ok(Committed::Done(place)), Some((at, traits))) = (&committed, traits) {
            self.scope.hear(*place, at, self.call.head(), traits);
        }
        if let Some(session) = &self.scope.session {
            session.count(judged.verdict.decision(), judged.verdict.ucs(), &evaluation);
        }
        if let Some(span) = &self.span {
            span::decided(span, &judged.verdict, disposition, &evaluation);
        }
        Ok(match committed {
            Ok(Committed::Done(place)) if disposition.runs() => {
                #[cfg(feature = "engine")]
                if let Some(edited) = &self.edited {
                    crate::denial_slot::edited(edited.told());
                }
                let at = self.scope.harness.inner().clock.at(started);
                Ok(Guard::new(
                    self.scope.into_within(),
                    self.call,
                    evaluation,
                    place,
                    (started, at),
                    since,
                    self.span,
                ))
            }
            Ok(_) => Err(denial(&self.call, judged, disposition, ticket.as_deref())),
            Err(error) => Err(unrecorded(self.call.tool(), &error)),
        })
    }

    /// The call would exceed a limit: it is denied, or people are asked. Where it runs all the same (people have approved it, or
    /// judgement is suspended), it is counted without that limit.
    #[cold]
    fn exceeded(self, ruling: Ruling, at: usize) -> Step {
        let Ruling { judged, held, .. } = ruling;
        let found = held.counted.as_ref().and_then(|counted| {
            let entry = counted.entries.get(at)?;
            Some((limit::exceeded(&entry.limit), counted.waiving(at)))
        });
        let Some((verdict, counted)) = found else {
            return self.again();
        };
        let held = Held {
            counted: Some(Arc::new(counted)),
            ..held
        };
        // an approval that it tried to use is there still
        let case = Self { joined: None, ..self };
        case.rule(Judged {
            verdict: judged.verdict.restricted_by(verdict),
            claims: Some(Box::new(Claims {
                held,
                ..Claims::default()
            })),
            ..judged
        })
    }

    /// A limit is about the call, and nobody counts.
    #[cold]
    fn uncounted(self, ruling: Ruling) -> Step {
        let reason = Reason::new(
            "limit_uncounted",
            "this call is limited and cannot be counted; it was not run",
        )
        .with_detail("the recorder keeps no counts, and a limit or a policy that reads the history is about this call");
        self.commit(Ruling {
            judged: Judged {
                verdict: ruling.judged.verdict.restricted_by(Verdict::deny(reason)),
                claims: None,
                ..ruling.judged
            },
            disposition: Disposition::Refused,
            ..ruling
        })
    }

    /// What the verdict rests on has changed: judges anew, a few times.
    #[cold]
    fn again(self) -> Step {
        if self.attempts < MOST_ATTEMPTS {
            return Self {
                attempts: self.attempts + 1,
                ..self
            }
            .judge();
        }
        let denied = GovernanceDenied::new(
            DenialKind::Unavailable,
            "contended",
            "too much changed while this call was judged; it was not run",
        )
        .with_tool(self.call.tool())
        .retryable();
        Err(refuse_as(self.scope, Arc::clone(self.call.head()), denied))
    }
}

#[cold]
fn denial(call: &ToolCall, judged: Judged, disposition: Disposition, ticket: Option<&str>) -> GovernanceDenied {
    let kind = if disposition == Disposition::Queued {
        DenialKind::Escalated
    } else {
        judged.kind
    };
    let denied = GovernanceDenied::from_verdict(kind, call.tool(), judged.verdict);
    let denied = match ticket {
        Some(ticket) => denied.with_ticket(ticket),
        None => denied,
    };
    match kind {
        // what is limited in time is free again later
        DenialKind::Denied if limit::passes(denied.code()) => denied.retryable(),
        DenialKind::Denied | DenialKind::Interrupted => denied,
        DenialKind::Escalated => denied.waiting().retryable(),
        _ => denied.retryable(),
    }
}

impl Scope {
    /// Tells whoever remembers behaviour that a decision is recorded, where the recorder does not.
    #[inline(always)]
    pub(super) fn hear(&self, place: Sequence, at: SystemTime, head: &Head, traits: Traits) {
        if let Some(watcher) = &self.harness.inner().watcher {
            let session = self.session.as_ref().map(|session| session.id());
            watcher.heard(&Event {
                place: place.get(),
                at_micros: micros(at),
                agent: head.agent().as_str(),
                what: What::Decided {
                    tool: head.meta().name(),
                    session: session.as_deref(),
                    traits,
                },
            });
        }
    }

    /// Tells callbacks and session of a verdict.
    fn tell(&self, record: &DecisionRecord, verdict: &Verdict) {
        self.harness.inner().callbacks.tell(record, verdict);
        if let Some(session) = &self.session {
            session.count(record.decision(), verdict.ucs(), record.evaluation_id());
        }
    }
}
