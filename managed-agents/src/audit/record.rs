//! The two records of a call: what was decided, before the body; how it ended, after.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::call::{Digest, Head, ToolMeta};
use crate::outcome::Outcome;
use crate::verdict::{Basis, Decision, EvaluationId, Found, Verdict, millionths};

/// What the harness made of a decision.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Disposition {
    /// Allowed by the verdict: the body runs.
    Allowed,
    /// Refused.
    Refused,
    /// Escalated, a ticket is open, and the call is refused or waits.
    Queued,
    /// Escalated, and a person approved it, here or behind the governor: the body runs. The decision stays `escalate`.
    Approved,
    /// The governance service was unreachable and `fail_open` is set: the body runs.
    FailOpen,
    /// Escalated by the governor, and the harness is set to go on all the same: the body runs.
    ProceededUnapproved,
    /// Judgement is suspended (`observe_only`): the body runs whatever the verdict.
    Observed,
}

impl Disposition {
    /// Whether the body runs.
    #[must_use]
    pub fn runs(self) -> bool {
        !matches!(self, Self::Refused | Self::Queued)
    }

    /// Of its stable word.
    #[cfg(feature = "sqlite")]
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        [
            Self::Allowed,
            Self::Refused,
            Self::Queued,
            Self::Approved,
            Self::FailOpen,
            Self::ProceededUnapproved,
            Self::Observed,
        ]
        .into_iter()
        .find(|disposition| disposition.code() == code)
    }

    /// The stable word for it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Queued => "queued",
            Self::Approved => "approved",
            Self::FailOpen => "fail_open",
            Self::ProceededUnapproved => "proceeded_unapproved",
            Self::Observed => "observed",
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What was decided on one call; in the audit log before the body starts.
///
/// It holds no argument, only the salted digest of the call.
#[derive(Clone)]
pub struct DecisionRecord {
    pub(crate) at: SystemTime,
    pub(crate) evaluation_id: EvaluationId,
    /// The agent, its governor, and what was known of the tool.
    pub(crate) head: Arc<Head>,
    pub(crate) session: Option<Arc<str>>,
    /// Zeros when the call was refused before it could be judged.
    pub(crate) digest: Digest,
    /// Whether it was not.
    pub(crate) judged: bool,
    pub(crate) decision: Decision,
    pub(crate) disposition: Disposition,
    /// The digest of all rules that were applied.
    pub(crate) rules: Option<Digest>,
    /// The agent's trust, where the governor keeps one.
    pub(crate) trust: Option<TrustNote>,
    /// What the governor's verdict was reached on.
    pub(crate) basis: Option<Arc<Basis>>,
    pub(crate) details: Option<Box<RecordDetails>>,
}

/// Trust in the agent for calls of this one's effect, in millionths.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TrustNote {
    pub(crate) before: u32,
    /// With this decision itself.
    pub(crate) after: u32,
    /// It rests on the agent's entries before this place.
    pub(crate) as_of: u64,
}

impl From<(u32, u32, u64)> for TrustNote {
    fn from((before, after, as_of): (u32, u32, u64)) -> Self {
        Self { before, after, as_of }
    }
}

/// What the record of a plainly allowed call lacks.
#[derive(Clone, Default)]
pub(crate) struct RecordDetails {
    pub(crate) parent: Option<EvaluationId>,
    pub(crate) target: Option<Box<str>>,
    pub(crate) codes: Vec<Cow<'static, str>>,
    pub(crate) ticket: Option<Arc<str>>,
    /// In millionths, as are the dimensions: records hold no floats. Where an assessment made them they stand in the basis.
    pub(crate) ucs: Option<u32>,
    pub(crate) dimensions: Vec<(Box<str>, u32)>,
    /// What the screen found, and where.
    pub(crate) screen: Vec<(Cow<'static, str>, Found)>,
}

impl RecordDetails {
    /// Adds the scores that the governor states, and what the screen found.
    pub(crate) fn judged(mut self, verdict: &Verdict) -> Self {
        self.screen = verdict
            .reasons()
            .iter()
            .filter_map(|reason| Some((reason.code().to_owned().into(), reason.found()?.clone())))
            .collect();
        if verdict.states_scores() {
            self.ucs = verdict.ucs().map(millionths);
            self.dimensions = verdict
                .dimensions()
                .map(|(name, score)| (name.into(), millionths(score)))
                .collect();
        }
        self
    }

    #[inline(always)]
    pub(crate) fn into_option(self) -> Option<Box<Self>> {
        let empty = self.parent.is_none()
            && self.target.is_none()
            && self.codes.is_empty()
            && self.ticket.is_none()
            && self.ucs.is_none()
            && self.screen.is_empty();
        (!empty).then(|| Box::new(self))
    }
}

impl DecisionRecord {
    /// When it was decided.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// Names the evaluation.
    #[must_use]
    pub fn evaluation_id(&self) -> &EvaluationId {
        &self.evaluation_id
    }

    /// The agent that called.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.head.agent().as_str()
    }

    /// The session of the call, if any.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The governed call whose body made this one, if any.
    #[must_use]
    pub fn parent(&self) -> Option<&EvaluationId> {
        self.details.as_ref()?.parent.as_ref()
    }

    /// The tool's name.
    #[must_use]
    pub fn tool(&self) -> &str {
        self.head.meta().name()
    }

    /// What was known of the tool.
    #[must_use]
    pub fn meta(&self) -> &ToolMeta {
        self.head.meta()
    }

    /// SHA-256 of the canonical call and the record's salt; none when the arguments have no canonical form.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.judged.then_some(self.digest)
    }

    /// What the tool says that the call is aimed at (`target = expr`), redacted where it must be.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.details.as_ref()?.target.as_deref()
    }

    /// What the judges said when the call was judged; while judgement is suspended, the would-be decision.
    ///
    /// What people made of it changes it in one direction only. An approved call is still recorded as
    /// [`Escalate`](Decision::Escalate), with the disposition [`Approved`](Disposition::Approved) and its ticket, whether
    /// people approved it in this process or behind a governance service; a rejected one is a
    /// [`Deny`](Decision::Deny) that is [`Refused`](Disposition::Refused), with the reasons of the escalation after the
    /// rejection's.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// What the harness made of it.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        self.disposition
    }

    /// Whether the decision was enforced; not so while judgement is suspended.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        self.disposition != Disposition::Observed
    }

    /// The code of every reason, the deciding one first.
    pub fn codes(&self) -> impl Iterator<Item = &str> + '_ {
        self.details
            .iter()
            .flat_map(|details| details.codes.iter().map(AsRef::as_ref))
    }

    /// The governor that judged; none when the call was refused before one was asked.
    #[must_use]
    pub fn governor(&self) -> Option<&str> {
        self.judged.then(|| self.head.governor())
    }

    /// The ticket that was opened or redeemed, if any.
    #[must_use]
    pub fn ticket(&self) -> Option<&str> {
        self.details.as_ref()?.ticket.as_deref()
    }

    /// The digest of all rules that were applied: policies, scopes, configuration, the screen's profile, and the software's
    /// version. Under the same rules, the same inputs lead to the same verdict.
    #[must_use]
    pub fn rules(&self) -> Option<Digest> {
        self.rules
    }

    /// The ids of the policies that decided.
    pub fn policies(&self) -> impl Iterator<Item = &str> + '_ {
        self.basis()
            .into_iter()
            .flat_map(|basis| basis.policies.iter().map(AsRef::as_ref))
    }

    /// States the inputs that the verdict, unchanged, was found to rest on.
    pub(crate) fn rests_on(&mut self, inputs: Box<str>) {
        if let Some(basis) = &mut self.basis {
            *basis = basis.on(inputs);
        }
    }

    pub(crate) fn basis(&self) -> Option<&Basis> {
        self.basis.as_deref()
    }

    /// The unified confidence score in millionths, where the governor gave one.
    #[must_use]
    pub fn ucs_millionths(&self) -> Option<u32> {
        let stated = self.details.as_ref().and_then(|details| details.ucs);
        stated.or_else(|| Some(millionths(self.basis()?.scores.as_ref()?.ucs())))
    }

    /// The agent's trust for calls of this one's effect, before and after this decision, in millionths, where the governor
    /// keeps one.
    #[must_use]
    pub fn trust_millionths(&self) -> Option<(u32, u32)> {
        self.trust.map(|trust| (trust.before, trust.after))
    }

    /// Name and score in millionths of each assessed dimension; empty where the governor gave none.
    pub fn dimensions_millionths(&self) -> impl Iterator<Item = (&str, u32)> + '_ {
        let stated = self.details.as_ref().filter(|details| details.ucs.is_some());
        let assessed = self.basis().filter(|_| stated.is_none());
        let assessed = assessed.and_then(|basis| basis.scores.as_ref());
        let stated = stated.into_iter();
        stated
            .flat_map(|details| details.dimensions.iter().map(|(name, score)| (&**name, *score)))
            .chain(assessed.into_iter().flat_map(|scores| scores.dimensions()))
    }

    /// What the screen found: code and place of each finding that counted.
    #[cfg(feature = "sqlite")]
    pub(crate) fn found(&self) -> &[(Cow<'static, str>, Found)] {
        self.details.as_ref().map_or(&[], |details| details.screen.as_slice())
    }

    /// The parameters whose values were not judged.
    pub fn not_judged(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.head.meta().not_judged()
    }

    /// Whether the tool declares nothing of itself.
    #[must_use]
    pub fn is_undeclared(&self) -> bool {
        !self.head.meta().is_declared()
    }
}

impl fmt::Debug for DecisionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionRecord")
            .field("evaluation_id", &self.evaluation_id)
            .field("agent", &self.agent())
            .field("tool", &self.tool())
            .field("decision", &self.decision)
            .field("disposition", &self.disposition)
            .field("codes", &self.codes().collect::<Vec<_>>())
            .field("ticket", &self.ticket())
            .finish_non_exhaustive()
    }
}

/// How an allowed call ended; recorded after the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutcomeRecord {
    outcome: Outcome,
    duration: Duration,
    at: SystemTime,
    /// It was stopped, or told to stop; with the place of the stop where that is recorded.
    stop: Option<Option<u64>>,
    /// The body never began: what the call counted is given back.
    unbegun: bool,
}

impl OutcomeRecord {
    pub(crate) fn new(outcome: Outcome, duration: Duration, at: SystemTime) -> Self {
        Self {
            outcome,
            duration,
            at,
            stop: None,
            unbegun: false,
        }
    }

    /// The body never began.
    pub(crate) fn unbegun(mut self) -> Self {
        self.unbegun = true;
        self
    }

    /// Whether the body began.
    pub(crate) fn began(&self) -> bool {
        !self.unbegun
    }

    /// A stop came while it ran.
    pub(crate) fn with_stop(mut self, place: Option<u64>) -> Self {
        self.stop = Some(place);
        self
    }

    /// Whether it was told to stop and not cancelled: its tool says `cancel = finish`, is synchronous, or somebody else ran it;
    /// or it ended by itself before it came to an await.
    #[must_use]
    pub fn was_told(&self) -> bool {
        self.stop.is_some() && self.outcome != Outcome::Interrupted
    }

    /// The place in the record of the stop that cancelled it or that it was told of.
    #[must_use]
    pub fn stop(&self) -> Option<u64> {
        self.stop.flatten()
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// When it ended.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// How long the body ran; waiting for a verdict is not counted.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }
}
