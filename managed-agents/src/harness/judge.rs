//! The verdict on a call: of the screen and of the governor, the more restrictive of both.

use std::sync::Arc;
use std::time::Duration;

use super::Harness;
use super::breaker::Passage;
use crate::answer::Answer;
use crate::call::ToolCall;
use crate::error::DenialKind;
use crate::governor::{Claims, GovernorError, GovernorErrorKind, Judgement};
use crate::verdict::{Basis, Decision, Reason, Verdict};

/// What the judges said of a call.
pub(super) struct Judged {
    /// The most restrictive of all judges.
    pub(super) verdict: Verdict,
    pub(super) claims: Option<Box<Claims>>,
    /// What the kind of a denial would be.
    pub(super) kind: DenialKind,
    /// The governor itself escalated.
    pub(super) by_governor: bool,
    /// The screen escalated.
    pub(super) by_screen: bool,
    /// The governor could not be asked, and the harness is set to go on.
    pub(super) fail_open: bool,
}

impl Judged {
    /// Every judge allows the call, and none says more than what it rests on.
    pub(super) fn plainly_allowed(basis: Option<Arc<Basis>>) -> Self {
        Self {
            verdict: Verdict::allow_on(basis),
            claims: None,
            kind: DenialKind::Denied,
            by_governor: false,
            by_screen: false,
            fail_open: false,
        }
    }

    /// Whether a limit is about the call, or a policy that counts.
    #[inline]
    pub(super) fn is_counted(&self) -> bool {
        self.claims.as_ref().is_some_and(|claims| claims.held.is_counted())
    }
}

/// What the judges said at once.
pub(super) enum Said {
    /// [`Judged::plainly_allowed`], which most calls are: next to nothing to be carried along.
    Allow(Option<Arc<Basis>>),
    More(Judged),
}

type Answered = Result<Judgement, GovernorError>;

/// Asks the screen and the governor; an answer that comes later is waited for.
#[inline(always)]
pub(super) fn judge(harness: &Harness, call: &Arc<ToolCall>) -> Result<Said, Answer<Judged>> {
    let screened = screen(harness, call);
    if let Some(screened) = &screened {
        call.screened(screened.decision());
    }
    let inner = harness.inner();
    if screened.is_none() && inner.breaker.is_none() {
        let answer = inner.governor.decide(call);
        return match answer.peek() {
            // a verdict that states nothing has nothing that might not fit this call
            Some(Ok(judgement)) if judgement.is_bare_allow() => Ok(Said::Allow(judgement.verdict().basis().cloned())),
            _ => match answered(inner.timeout, None, answer) {
                Ok(answer) => Ok(Said::More(combine(harness, call, None, answer))),
                Err(later) => Err(combine_later(harness, call, None, later)),
            },
        };
    }
    match ask(harness, call) {
        Ok(answer) => Ok(Said::More(combine(harness, call, screened, answer))),
        Err(later) => Err(combine_later(harness, call, screened, later)),
    }
}

#[cold]
fn combine_later(
    harness: &Harness,
    call: &Arc<ToolCall>,
    screened: Option<Verdict>,
    later: Answer<Answered>,
) -> Answer<Judged> {
    let (harness, call) = (harness.clone(), Arc::clone(call));
    Answer::later(async move { combine(&harness, &call, screened, later.await) })
}

/// What the screens say, the most restrictive first.
#[cfg(feature = "screen")]
#[inline(always)]
fn screen(harness: &Harness, call: &ToolCall) -> Option<Verdict> {
    let inner = harness.inner();
    if inner.screens.is_empty() && inner.screen.has_nothing_to_read(call) {
        return None;
    }
    screen_fully(harness, call)
}

#[cfg(feature = "screen")]
#[inline(never)]
fn screen_fully(harness: &Harness, call: &ToolCall) -> Option<Verdict> {
    let inner = harness.inner();
    let screened = inner.screen.check(call);
    let unclear = (!screened.is_understood() && inner.screen.must_understand(call)).then(|| {
        Verdict::escalate(
            Reason::new(
                "not_understood",
                "not all of this command or statement can be known before it runs, so a person must approve it",
            )
            .with_detail(
                "an argument is declared to be a command or query, and the screen did not understand all of it",
            ),
        )
    });
    let own = inner.screens.iter().filter_map(|screen| {
        // a screen that panics has not said that the call is harmless
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| screen.check(call)));
        checked.unwrap_or_else(|_| {
            Some(Verdict::deny(
                Reason::new("screen_panicked", "a check of this call failed; it was not run")
                    .with_detail(format!("the screen `{}` panicked", screen.name())),
            ))
        })
    });
    let mut all = screened.into_verdict().into_iter().chain(unclear).chain(own);
    let first = all.next()?;
    Some(all.fold(first, Verdict::restricted_by))
}

/// What the screen says. There is none in this build: an argument that it would read escalates.
#[cfg(not(feature = "screen"))]
fn screen(_harness: &Harness, call: &ToolCall) -> Option<Verdict> {
    call.is_screened().then(|| {
        Verdict::escalate(
            Reason::new(
                "screen_missing",
                "this call could not be screened, so a person must approve it",
            )
            .with_detail("an argument is a command, query, path or URL, by declaration or by the tool's name, and this build has no screen"),
        )
    })
}

fn ask(harness: &Harness, call: &Arc<ToolCall>) -> Result<Answered, Answer<Answered>> {
    let inner = harness.inner();
    let passage = match &inner.breaker {
        Some(breaker) => match breaker.enter() {
            Ok(passage) => Some(passage),
            Err(open) => return Ok(Err(open)),
        },
        None => None,
    };
    answered(inner.timeout, passage, inner.governor.decide(call))
}

/// The governor's answer, past the breaker.
fn answered(limit: Duration, passage: Option<Passage>, answer: Answer<Answered>) -> Result<Answered, Answer<Answered>> {
    match answer.now() {
        Ok(result) => {
            if let Some(passage) = passage {
                passage.end(&result);
            }
            Ok(result)
        }
        Err(later) => Err(ask_later(limit, passage, later)),
    }
}

#[cold]
fn ask_later(limit: Duration, passage: Option<Passage>, later: Answer<Answered>) -> Answer<Answered> {
    Answer::later(async move {
        let result = timed(limit, later).await;
        if let Some(passage) = passage {
            passage.end(&result);
        }
        result
    })
}

/// The answer, if it comes in time.
async fn timed<T: Unpin>(limit: Duration, answer: Answer<Result<T, GovernorError>>) -> Result<T, GovernorError> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(no_timer());
    }
    match tokio::time::timeout(limit, answer).await {
        Ok(result) => result,
        Err(_) => Err(GovernorError::new(
            GovernorErrorKind::Overdue,
            format!("the governor did not answer within {limit:?}"),
        )),
    }
}

fn no_timer() -> GovernorError {
    GovernorError::new(
        GovernorErrorKind::WouldBlock,
        "a governor that does not answer at once needs a tokio runtime",
    )
}

fn combine(harness: &Harness, call: &ToolCall, screened: Option<Verdict>, answer: Answered) -> Judged {
    let mut judged = match answer {
        Ok(judgement) => {
            let (verdict, claims) = judgement.into_boxed_parts();
            let verdict = bound(harness, call, verdict);
            Judged {
                by_governor: verdict.decision() == Decision::Escalate,
                verdict,
                claims,
                kind: DenialKind::Denied,
                by_screen: false,
                fail_open: false,
            }
        }
        Err(error) => without_governor(harness, &error),
    };
    if let Some(screened) = screened {
        judged.by_screen = screened.decision() == Decision::Escalate;
        judged.verdict = judged.verdict.restricted_by(screened);
    }
    judged
}

/// The fail mode.
#[cold]
fn without_governor(harness: &Harness, error: &GovernorError) -> Judged {
    let fail_open = harness.inner().fail_open && error.kind().is_outage();
    let reason = Reason::new(
        error.code().to_owned(),
        "the governance service gave no verdict; the call was not run",
    )
    .with_detail(error.detail().to_owned());
    let verdict = if fail_open {
        Verdict::allow()
            .with_reason(Reason::new("fail_open", "allowed without a verdict"))
            .with_reason(reason)
    } else {
        Verdict::deny(reason)
    };
    Judged {
        verdict,
        claims: None,
        kind: DenialKind::Unavailable,
        by_governor: false,
        by_screen: false,
        fail_open,
    }
}

/// The verdict, if it is for this agent, this call and now; else a denial.
pub(super) fn bound(harness: &Harness, call: &ToolCall, verdict: Verdict) -> Verdict {
    let fault = if verdict.agent().is_some_and(|agent| agent != call.agent().as_str()) {
        Some(("verdict_mismatched", "the verdict is for another agent"))
    } else if verdict.digest().is_some_and(|digest| digest != call.digest()) {
        Some(("verdict_mismatched", "the verdict is for another call"))
    } else if verdict
        .expires()
        .is_some_and(|expires| expires <= harness.inner().clock.now())
    {
        Some(("verdict_expired", "the verdict has expired"))
    } else {
        None
    };
    match fault {
        Some((code, detail)) => {
            let reason = Reason::new(code, "the verdict does not fit this call; it was not run").with_detail(detail);
            let denial = Verdict::deny(reason);
            match verdict.evaluation_id() {
                Some(id) => denial.with_evaluation_id(id.clone()),
                None => denial,
            }
        }
        None => verdict,
    }
}
