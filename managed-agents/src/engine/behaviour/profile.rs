//! What is remembered of one agent: the fold of its entries in the log's order.

use serde::{Deserialize, Serialize};

use crate::audit::{Disposition, Event, Traits, What};
use crate::call::Effect;
use crate::drift::{Alert, Calibrated, Calibration, Call, Detector, Severity};
use crate::outcome::Outcome;
use crate::trust::{Alarm, Cause, Ledger, Ruling, Score};
use crate::verdict::Decision;

/// The types of statements that a profile hears.
pub(crate) const KEPT: &str = "behaviour";
/// A passport, or a change of state.
const ENROLLED: &str = "agent";
pub(crate) const ALARM: &str = "drift";
pub(crate) const BASELINE: &str = "drift_baseline";
pub(crate) const ACKNOWLEDGED: &str = "drift_ack";
pub(crate) const REBASELINED: &str = "drift_rebaseline";

/// After so many entries of an agent what is remembered of it is written down, so that a start need not read them all.
const KEPT_EVERY: u32 = 4_096;

/// The form in which it is written down.
const FORM: u32 = 2;

/// The body of an entry that holds what was remembered before the entry `as_of`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) as_of: u64,
    form: u32,
    /// As JSON: a text, since it holds larger numbers than RFC 8785 keeps.
    pub(super) state: String,
}

impl Kept {
    /// Of the body of an entry; none where it is in another form.
    pub(super) fn parse(body: &str) -> Option<Self> {
        serde_json::from_str::<Self>(body).ok().filter(|kept| kept.form == FORM)
    }
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    ledger: Ledger,
    detector: Detector,
    /// The place after the last entry that was taken in.
    as_of: u64,
    /// The score of each effect and the hour that it is of, until an entry may have changed it.
    #[serde(skip)]
    scores: [Option<(u64, Score)>; 3],
    /// How many references were given to be calibrated.
    #[serde(skip)]
    asked: u32,
    /// How many entries were taken in since what is remembered was written down.
    #[serde(skip)]
    since_kept: u32,
    /// The alarm that no entry states yet.
    unstated: Option<u64>,
    /// What its last passport says of it.
    enrolled: Enrolled,
}

/// What a passport says of an agent beside who it is.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Enrolled {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) archetype: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<Box<str>>,
}

impl Enrolled {
    /// Of the body of an entry about an agent; none where that is no passport. Who signed it was checked when it was written.
    fn parse(body: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Signed {
            body: Passport,
        }
        #[derive(Deserialize)]
        struct Passport {
            v: String,
            #[serde(flatten)]
            enrolled: Enrolled,
        }
        let passport = serde_json::from_str::<Signed>(body).ok()?.body;
        (passport.v == "ma-passport/1").then_some(passport.enrolled)
    }
}

/// What an entry changed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    /// Why trust changed.
    pub(crate) cause: Option<Cause>,
    /// An alarm of drift was raised.
    pub(crate) alarm: bool,
}

impl Profile {
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn detector(&self) -> &Detector {
        &self.detector
    }

    pub(crate) fn enrolled(&self) -> &Enrolled {
        &self.enrolled
    }

    pub(crate) fn as_of(&self) -> u64 {
        self.as_of
    }

    /// Takes in one entry.
    pub(crate) fn hear(&mut self, event: &Event<'_>) -> Heard {
        self.as_of = event.place + 1;
        self.since_kept = self.since_kept.saturating_add(1);
        let mut heard = Heard::default();
        match event.what {
            What::Decided { tool, session, traits } => {
                heard.cause = self
                    .ledger
                    .decided(event.at_micros, event.place, traits.effect, ruling(&traits));
                let call = Call {
                    at_micros: event.at_micros,
                    tool,
                    session,
                    effect: traits.effect,
                    target: traits.target,
                    size: traits.size,
                    decision: traits.decision,
                };
                if let Some(alert) = self.detector.call(event.place, &call) {
                    heard.alarm = true;
                    self.unstated = Some(event.place);
                    heard.cause = Some(self.ledger.alarmed(event.at_micros, weight(alert.severity())));
                }
            }
            What::Ended { about, outcome } => {
                self.detector.ended(outcome == Outcome::Ok);
                heard.cause = self.ledger.ended(event.at_micros, about, outcome);
            }
            What::Stated { kind, body } => self.state(kind, body),
        }
        if heard.cause.is_some() {
            self.scores = [None; 3];
        }
        heard
    }

    /// Trust at a time; computed when evidence or the hour is another than last time.
    pub(crate) fn score(&mut self, effect: Effect, at_micros: i64) -> Score {
        let hour = self.ledger.hour_at(at_micros);
        let cached = self.scores.get_mut(effect.index());
        if let Some(Some((of, score))) = cached
            && *of == hour
        {
            return *score;
        }
        let score = self.ledger.score(effect, at_micros);
        if let Some(cached) = self.scores.get_mut(effect.index()) {
            *cached = Some((hour, score));
        }
        score
    }

    /// What thresholds are to be made of, once for each reference.
    pub(crate) fn calibration(&mut self) -> Option<Calibration> {
        if !self.detector.is_calibrating() || self.asked > self.detector.number() {
            return None;
        }
        self.asked = self.detector.number() + 1;
        self.detector.calibration()
    }

    /// The open alarm, while no entry states it.
    pub(crate) fn unstated(&self) -> Option<&Alert> {
        self.detector
            .alert()
            .filter(|alert| self.unstated == Some(alert.place()))
    }

    /// Whether it is time to write it down.
    pub(crate) fn is_due(&self) -> bool {
        self.since_kept > 0 && self.since_kept.is_multiple_of(KEPT_EVERY)
    }

    /// As the text that is written down: the same for the same entries.
    pub(super) fn state_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The body of the entry in which it is written down.
    pub(super) fn kept(&self) -> String {
        let kept = Kept {
            as_of: self.as_of,
            form: FORM,
            state: self.state_text(),
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Of such a body; none where it is in another form, or not what entries make.
    pub(super) fn resumed(body: &str) -> Option<Self> {
        let kept = Kept::parse(body)?;
        let profile: Self = serde_json::from_str(&kept.state).ok()?;
        let sound = profile.as_of == kept.as_of && profile.ledger.is_sound() && profile.detector.is_sound();
        sound.then_some(profile)
    }

    /// Bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        let Enrolled { archetype, zone } = &self.enrolled;
        let texts: usize = [archetype, zone].into_iter().flatten().map(|text| text.len()).sum();
        size_of::<Self>() - size_of::<Detector>() + self.detector.size() + self.ledger.size() + texts
    }

    pub(crate) fn state(&mut self, kind: &str, body: &str) {
        match kind {
            BASELINE => {
                if let Some(calibrated) = Calibrated::parse(body) {
                    self.detector.arm(&calibrated);
                }
            }
            KEPT => self.since_kept = 0,
            ENROLLED => {
                if let Some(enrolled) = Enrolled::parse(body) {
                    self.enrolled = enrolled;
                }
            }
            // several processes may state the same alarm
            ALARM => self.unstated = None,
            ACKNOWLEDGED => self.detector.acknowledge(),
            REBASELINED => self.detector.rebaseline(),
            _ => {}
        }
    }
}

/// What a decision is to the ledger.
fn ruling(traits: &Traits) -> Ruling {
    match (traits.disposition, traits.decision) {
        _ if traits.fault => Ruling::Violation,
        (Disposition::Allowed, Decision::Allow) => Ruling::Allowed,
        (Disposition::Approved, _) => Ruling::Approved,
        _ => Ruling::Neutral,
    }
}

fn weight(severity: Severity) -> Alarm {
    match severity {
        Severity::Moderate => Alarm::Moderate,
        Severity::High => Alarm::High,
        Severity::Critical => Alarm::Critical,
    }
}
