//! What agents have done so far, and what that means for their next call.

mod calibrating;
mod profile;
#[cfg(feature = "cli")]
mod recomputed;
mod remembered;
#[cfg(feature = "cli")]
mod reviewer;

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::audit::{Attachment, Event, Watcher, micros};
use crate::call::{AgentId, Effect, ToolCall, above};
use crate::drift::{Alert, Phase, Severity};
use crate::trust::Score;
use crate::verdict::{Decision, Reason, Verdict};
use calibrating::{Calibrating, Task};
pub(crate) use profile::{ACKNOWLEDGED, Profile, REBASELINED};
#[cfg(feature = "cli")]
pub(crate) use recomputed::{BEHAVIOUR_DIFFERS, Past, recompute};
use remembered::Remembered;
#[cfg(feature = "cli")]
pub(crate) use reviewer::{REVIEWER_ACKNOWLEDGED, REVIEWER_ALARM, REVIEWER_REBASELINED, Reviewer};

/// The trust below which every call is escalated, when nothing else is said.
const FLOOR: f64 = 0.3;

/// What is remembered of agents' behaviour: the [trust](crate::trust) that each has earned, and whether it
/// [drifts](crate::drift). Clones share it.
///
/// An [`Engine`](crate::Engine) has one of its own. It hears of every decision and outcome from the record that the harness
/// writes: with a durable record of what was there before, and of what other processes write, too.
///
/// Harnesses that write one durable record for one agent in one process share what they remember of that agent, whichever
/// `Behaviour` each was given, unless that has heard of the agent elsewhere before; the first one's clock counts. So do not give one
/// `Behaviour` to harnesses of several records: what it hears from one is then remembered for the others as well.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::call::Effect;
/// use managed_agents::{Behaviour, Engine, Harness, Outcome, ToolMeta};
///
/// let behaviour = Behaviour::new().trust_floor(0.25);
/// let harness = Harness::builder()
///     .in_memory()
///     .agent_id("support-bot")
///     .governor(Engine::new().behaviour(&behaviour))
///     .declare(ToolMeta::new("note").reversible())
///     .build()
///     .await?;
/// let new = behaviour.trust("support-bot", Effect::Change);
/// harness.govern("note", "{}").await?.finish(Outcome::Ok);
/// assert!(behaviour.trust("support-bot", Effect::Change).value() > new.value());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Behaviour {
    settings: Settings,
    shared: Arc<Shared>,
}

/// What verdicts are made of, beside what agents do.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Settings {
    floor: f64,
}

/// What of an agent's behaviour a verdict rests on, in whole numbers: it stands in the record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bearing {
    /// In millionths.
    pub(crate) trust: u32,
    /// What stands against the agent, in hundredths.
    #[serde(default)]
    pub(crate) against: u32,
    /// Whether it is watched for drift.
    #[serde(default)]
    pub(crate) watched: bool,
    /// The severity of the alarm that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) drift: Option<Severity>,
    /// What the screen found in the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) screened: Option<Decision>,
    /// Of which kind its passport says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) archetype: Option<Box<str>>,
}

#[derive(Default)]
struct Shared {
    /// The agent that was heard of first, which is the only one of most processes: found without a lock.
    first: OnceLock<(Box<str>, Arc<Remembered>)>,
    /// Guards which others are known; held for a look-up.
    agents: RwLock<HashMap<Box<str>, Arc<Remembered>>>,
    calibrating: Arc<Calibrating>,
}

/// An agent that was looked up.
enum Known<'a> {
    First(&'a Arc<Remembered>),
    Other(Arc<Remembered>),
}

impl Known<'_> {
    fn kept(self) -> Arc<Remembered> {
        match self {
            Self::First(agent) => Arc::clone(agent),
            Self::Other(agent) => agent,
        }
    }
}

impl Deref for Known<'_> {
    type Target = Remembered;

    fn deref(&self) -> &Remembered {
        match self {
            Self::First(agent) => agent,
            Self::Other(agent) => agent,
        }
    }
}

impl Behaviour {
    /// Nothing is known of any agent.
    #[must_use]
    pub fn new() -> Self {
        Self {
            settings: Settings { floor: FLOOR },
            shared: Arc::default(),
        }
    }

    /// Sets the trust below which every call is escalated; 0.3 when nothing is said, and 0 for never.
    #[must_use]
    pub fn trust_floor(mut self, floor: f64) -> Self {
        // what is no number is the strictest
        self.settings.floor = if floor.is_nan() { 1.0 } else { floor.clamp(0.0, 1.0) };
        self
    }

    /// The trust that an agent has now, for calls of one effect; that of a new agent where nothing is known of it.
    #[must_use]
    pub fn trust(&self, agent: &str, effect: Effect) -> Score {
        match self.shared.find(agent) {
            Some(agent) => agent.lock().score(effect, micros(agent.now())),
            None => Profile::default().score(effect, micros(SystemTime::now())),
        }
    }

    /// Whether the agent's calls are still learnt, or watched for [drift](crate::drift).
    #[must_use]
    pub fn phase(&self, agent: &str) -> Phase {
        let agent = self.shared.find(agent);
        agent.map_or(Phase::Learning { calls: 0, sessions: 0 }, |agent| {
            agent.lock().detector().phase()
        })
    }

    /// The alarm of drift that nobody acknowledged yet.
    #[must_use]
    pub fn alert(&self, agent: &str) -> Option<Alert> {
        self.shared.find(agent)?.lock().detector().alert().cloned()
    }

    /// Says, in the record where it holds such, that somebody has seen the open alarm: the next one is another.
    pub fn acknowledge(&self, agent: &str) {
        if let (Some(remembered), Some(alert)) = (self.shared.find(agent), self.alert(agent)) {
            let body = format!(r#"{{"alarm":{}}}"#, alert.place());
            remembered.state(ACKNOWLEDGED, &body);
        }
    }

    /// Says, in the record where it holds such, that what the agent does from now on is usual: it is learnt anew.
    pub fn rebaseline(&self, agent: &str) {
        if let Some(remembered) = self.shared.find(agent) {
            remembered.state(REBASELINED, "{}");
        }
    }

    /// How many bytes are kept of an agent.
    #[must_use]
    pub fn size(&self, agent: &str) -> usize {
        self.shared.find(agent).map_or(0, |agent| agent.lock().size())
    }

    /// How many calls of an agent completed, and how many were denied by its own fault.
    #[must_use]
    pub fn counts(&self, agent: &str) -> (u64, u64) {
        self.shared
            .find(agent)
            .map_or((0, 0), |agent| agent.lock().ledger().counts())
    }

    pub(super) fn watcher(&self) -> Arc<dyn Watcher> {
        Arc::clone(&self.shared) as Arc<dyn Watcher>
    }

    /// The digest of what verdicts are made of.
    pub(super) fn rules(&self) -> String {
        format!("{:?}", self.settings)
    }

    /// What of the agent's behaviour bears on a call.
    pub(super) fn bearing(&self, call: &ToolCall) -> Bearing {
        let agent = self.shared.find_or_make(call.agent().as_str());
        let now = micros(agent.now());
        let mut profile = agent.lock();
        let drift = profile.detector().alert().map(Alert::severity);
        let watched = profile.detector().phase() == Phase::Watching;
        let archetype = profile.enrolled().archetype.clone();
        let effect = Effect::of(call.meta());
        let score = profile.score(effect, now);
        // who acts for another is trusted no more than that one: else a name below its own would be a new beginning
        let above = above(call.agent().as_str()).filter_map(|above| self.shared.find(above));
        let trust = above.map(|above| above.lock().score(effect, now).millionths()).min();
        Bearing {
            trust: trust.map_or(score.millionths(), |above| above.min(score.millionths())),
            against: (score.bad() * 100.0) as u32,
            watched,
            drift,
            screened: call.found(),
            archetype,
        }
    }

    /// What is said of a call because of its agent's behaviour; nothing where that is as it should be.
    pub(super) fn judge(&self, bearing: &Bearing) -> Option<Verdict> {
        if f64::from(bearing.trust) >= self.settings.floor * 1e6 {
            return None;
        }
        let reason = Reason::new(
            "behaviour_trust",
            "too many calls of this agent were refused, so a person must approve each call for now",
        );
        Some(Verdict::escalate(reason.with_detail(format!(
            "trust {:.3} is below {:.3}: approved calls that complete raise it, at most once an hour, and so does time",
            f64::from(bearing.trust) / 1e6,
            self.settings.floor
        ))))
    }

    /// Trust before and after a decision, and as of which place.
    pub(super) fn noted(&self, call: &ToolCall, at: SystemTime, fault: bool) -> (u32, u32, u64) {
        let at = micros(at);
        let effect = Effect::of(call.meta());
        let agent = self.shared.find_or_make(call.agent().as_str());
        let mut profile = agent.lock();
        if let Some(calibration) = profile.calibration() {
            agent.send(Task::Calibrate(calibration));
        }
        let before = profile.score(effect, at).millionths();
        let after = if fault {
            profile.ledger().score_if_denied(effect, at).millionths()
        } else {
            before
        };
        (before, after, profile.as_of())
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behaviour")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn find(&self, agent: &str) -> Option<Known<'_>> {
        match self.first.get() {
            Some((first, known)) if **first == *agent => Some(Known::First(known)),
            Some(_) => self.find_other(agent).map(Known::Other),
            None => None,
        }
    }

    fn find_other(&self, agent: &str) -> Option<Arc<Remembered>> {
        let agents = self.agents.read().unwrap_or_else(PoisonError::into_inner);
        agents.get(agent).map(Arc::clone)
    }

    fn find_or_make(&self, agent: &str) -> Known<'_> {
        self.find_or_take(agent, || Remembered::new(agent, &self.calibrating))
    }

    fn find_or_take(&self, agent: &str, take: impl Fn() -> Arc<Remembered>) -> Known<'_> {
        let (first, known) = self.first.get_or_init(|| (agent.into(), take()));
        if **first == *agent {
            return Known::First(known);
        }
        Known::Other(self.find_other(agent).unwrap_or_else(|| {
            let mut agents = self.agents.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(agents.entry(agent.into()).or_insert_with(take))
        }))
    }
}

/// For every agent of which it is told.
impl Watcher for Shared {
    fn heard(&self, event: &Event<'_>) {
        self.find_or_make(event.agent).heard(event);
    }

    fn resumes(&self, agent: &AgentId, place: u64, body: &str) -> Option<u64> {
        self.find_or_make(agent.as_str()).resumes(agent, place, body)
    }

    fn caught_up(&self, agent: &AgentId) {
        self.find_or_make(agent.as_str()).caught_up(agent);
    }

    fn attached(&self, agent: &AgentId, to: Attachment) {
        self.find_or_make(agent.as_str()).attach(to);
    }

    fn part(&self, agent: &AgentId) -> Option<Arc<dyn Watcher>> {
        Some(self.find_or_make(agent.as_str()).kept() as Arc<dyn Watcher>)
    }

    fn joins(&self, agent: &AgentId, other: &Arc<dyn Watcher>) -> bool {
        let other = Arc::clone(other).memory();
        let Some(other) = other.and_then(|other| other.downcast::<Remembered>().ok()) else {
            return false;
        };
        let known = self.find_or_take(agent.as_str(), || Arc::clone(&other)).kept();
        Arc::ptr_eq(&known, &other)
    }
}

#[cfg(feature = "cedar")]
impl crate::policy::SignalSource for Behaviour {
    fn signals(&self, call: &ToolCall) -> crate::policy::Signals {
        let bearing = self.bearing(call);
        let trust = f64::from(bearing.trust) / 1e6;
        let agent = self.shared.find(call.agent().as_str());
        let zone = agent.and_then(|agent| Some(agent.lock().enrolled().zone.as_deref()?.to_owned()));
        crate::policy::Signals {
            trust: Some(trust),
            trust_lower: Some(trust),
            drifted: Some(bearing.drift.is_some()),
            archetype: bearing.archetype.map(Into::into),
            zone,
            ..crate::policy::Signals::default()
        }
    }
}
