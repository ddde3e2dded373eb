//! One agent's calls: learnt, then watched.

mod kept;

use serde::{Deserialize, Serialize};

use super::alert::{Alert, Moved, Severity};
use super::calibrate::{self, Sample};
use super::cusum::{STRETCH, Sums, Thresholds};
use super::divergence::corrected;
use super::reference::{NAT, Reference, TESTS};
use super::stream::{MOST_TOOLS, Observation, STREAMS, Stream, pace, shape};
use crate::call::{Effect, TargetKind};
use crate::verdict::Decision;

/// How many calls are learnt at least, and in how many sessions.
pub const LEAST_CALLS: usize = 500;
/// See [`LEAST_CALLS`].
pub const LEAST_SESSIONS: usize = 30;

/// Chance alone raises one alarm in so many calls, all streams together.
pub const RUN_LENGTH: u64 = 10_000;

/// A longer session counts as several, so that learning ends.
const LONGEST: u8 = 32;
/// How many sessions may go on side by side and still be told apart.
const SIDE_BY_SIDE: usize = 8;
/// How many calls are kept to say what changed.
const RECENT: usize = 128;
/// An alarm's size is taken over at least so many calls.
const LEAST_RECENT: u32 = 48;
/// Names are for people: the beginning is enough.
const MOST_NAME: usize = 24;

/// A call, as far as drift looks at it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "another field is another reference")]
pub struct Call<'a> {
    /// When, in microseconds since 1970.
    pub at_micros: i64,
    /// The tool.
    pub tool: &'a str,
    /// The session, if any.
    pub session: Option<&'a str>,
    /// What it does.
    pub effect: Effect,
    /// What it is aimed at.
    pub target: TargetKind,
    /// How large its arguments are, in bytes.
    pub size: u32,
    /// What was decided.
    pub decision: Decision,
}

/// What a detector is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// It has seen so many calls in so many sessions, and raises no alarm.
    Learning {
        /// Calls seen.
        calls: usize,
        /// Sessions seen.
        sessions: usize,
    },
    /// It has seen enough, and waits for its thresholds.
    Calibrating,
    /// It watches.
    Watching,
}

/// Learns how an agent calls, and says when that changes.
///
/// What is usual is frozen once it is learnt: who changes slowly is compared with it as well.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Detector {
    state: State,
    /// Which reference this is, from 0.
    number: u32,
    /// Tools by the hash of their name; an agent's first ones.
    tools: Vec<(u64, Box<str>)>,
    #[serde(with = "kept::recent")]
    recent: Box<[Observation; RECENT]>,
    /// How many calls were seen by this reference.
    seen: u64,
    last_micros: Option<i64>,
    /// How the calls ended since the last one: 0 none, 1 all well, 2 one badly.
    ended: u8,
    /// The session of the last call, and how many of its calls came in a row.
    session: (u64, usize),
    open: Option<Alert>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
enum State {
    Learning(Learning),
    Calibrating(Learning),
    Watching(Box<Watching>),
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Learning {
    calls: Vec<(u16, Observation)>,
    blocks: u16,
    /// Session, block, and how many calls it has.
    side_by_side: Vec<(u64, u16, u8)>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Watching {
    reference: Reference,
    thresholds: Thresholds,
    sums: Sums,
}

/// What thresholds are made of; takes a tenth of a second, so that it belongs on a thread of its own.
#[derive(Clone, Debug)]
pub struct Calibration {
    sample: Sample,
    number: u32,
}

/// Thresholds for one reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrated {
    number: u32,
    thresholds: Thresholds,
}

impl Default for Detector {
    fn default() -> Self {
        Self {
            state: State::Learning(Learning::default()),
            number: 0,
            tools: Vec::new(),
            recent: Box::new([[0; STREAMS]; RECENT]),
            seen: 0,
            last_micros: None,
            ended: 0,
            session: (0, 0),
            open: None,
        }
    }
}

impl Detector {
    /// Nothing is learnt yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sees a call; `place` names it. Gives the alarm that it raises: once, until that is acknowledged.
    pub fn call(&mut self, place: u64, call: &Call<'_>) -> Option<&Alert> {
        let tool = self.tool(call.tool);
        let since = call
            .at_micros
            .saturating_sub(self.last_micros.unwrap_or(call.at_micros));
        let observation = [
            tool,
            call.effect as u8,
            call.target as u8,
            shape(call.size),
            call.decision as u8,
            std::mem::take(&mut self.ended),
            pace(since),
        ];
        self.last_micros = Some(call.at_micros.max(self.last_micros.unwrap_or(i64::MIN)));
        let at = (self.seen % RECENT as u64) as usize;
        if let Some(recent) = self.recent.get_mut(at) {
            *recent = observation;
        }
        self.seen += 1;
        let session = call.session.map_or(0, hash);
        match &mut self.state {
            State::Learning(learning) => {
                learning.learn(session, observation);
                if learning.is_done() {
                    let learnt = std::mem::take(learning);
                    self.state = State::Calibrating(learnt);
                }
                None
            }
            State::Calibrating(_) => None,
            State::Watching(watching) => {
                let (last, calls) = self.session;
                if session != last || calls >= STRETCH {
                    self.session = (session, 0);
                    watching.sums.begin();
                }
                self.session.1 += 1;
                let crossing = watching
                    .sums
                    .add(&watching.reference, &observation, Some(&watching.thresholds))?;
                watching.sums.clear();
                let stream = Stream::ALL.get(crossing.stream).copied()?;
                self.alarm(place, call.at_micros, stream, crossing.since)
            }
        }
    }

    /// Sees how a call ended.
    pub fn ended(&mut self, well: bool) {
        self.ended = self.ended.max(if well { 1 } else { 2 });
    }

    /// What it is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Learning(learning) => Phase::Learning {
                calls: learning.calls.len(),
                sessions: learning.blocks.into(),
            },
            State::Calibrating(_) => Phase::Calibrating,
            State::Watching(_) => Phase::Watching,
        }
    }

    pub(crate) fn is_calibrating(&self) -> bool {
        matches!(self.state, State::Calibrating(_))
    }

    /// Which reference this is, from 0.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The alarm that nobody acknowledged yet.
    #[must_use]
    pub fn alert(&self) -> Option<&Alert> {
        self.open.as_ref()
    }

    /// Somebody has seen the alarm: the next one is another.
    pub fn acknowledge(&mut self) {
        self.open = None;
        if let State::Watching(watching) = &mut self.state {
            watching.sums.clear();
        }
    }

    /// What was usual counts no more: learns anew.
    pub fn rebaseline(&mut self) {
        let number = self.number.wrapping_add(1);
        *self = Self {
            number,
            last_micros: self.last_micros,
            ..Self::default()
        };
    }

    /// What thresholds are to be made of, where it waits for them.
    #[must_use]
    pub fn calibration(&self) -> Option<Calibration> {
        let State::Calibrating(learnt) = &self.state else {
            return None;
        };
        Some(Calibration {
            sample: Sample {
                sessions: learnt.sessions(),
                tools: self.tools.len(),
            },
            number: self.number,
        })
    }

    /// Begins to watch, with thresholds for what it has learnt; others change nothing.
    pub fn arm(&mut self, calibrated: &Calibrated) {
        let State::Calibrating(learnt) = &self.state else {
            return;
        };
        if calibrated.number != self.number {
            return;
        }
        let sessions = learnt.sessions();
        let mut sums = Sums::default();
        sums.clear();
        self.state = State::Watching(Box::new(Watching {
            reference: Reference::of(sessions.iter().map(Vec::as_slice), self.tools.len()),
            thresholds: calibrated.thresholds,
            sums,
        }));
    }

    /// How near each stream is to an alarm: its largest sum over its threshold, in nats.
    #[must_use]
    pub fn levels(&self) -> Vec<(Stream, f64, f64)> {
        let State::Watching(watching) = &self.state else {
            return Vec::new();
        };
        let each = Stream::ALL
            .into_iter()
            .zip(watching.sums.get())
            .zip(&watching.thresholds);
        let level = |((stream, sums), limits): ((Stream, &[i32; TESTS]), &[i32; TESTS])| {
            let nearest = sums.iter().zip(limits).max_by(|(sum, limit), (other, limit_2)| {
                // a/b against c/d
                (i64::from(**sum) * i64::from(**limit_2)).cmp(&(i64::from(**other) * i64::from(**limit)))
            });
            let (sum, limit) = nearest.map_or((0, 0), |(sum, limit)| (*sum, *limit));
            (stream, f64::from(sum) / NAT, f64::from(limit) / NAT)
        };
        each.map(level).collect()
    }

    /// How far the last calls are from what is usual, and in what, for one stream: the Jensen-Shannon divergence in bits,
    /// less what chance alone makes it.
    #[must_use]
    pub fn divergence(&self, stream: Stream) -> Option<(f64, Vec<Moved>)> {
        self.diverged(stream, RECENT as u32)
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let names: usize = self.tools.iter().map(|(_, name)| name.len()).sum();
        let learnt = |learnt: &Learning| {
            learnt.calls.capacity() * size_of::<(u16, Observation)>()
                + learnt.side_by_side.capacity() * size_of::<(u64, u16, u8)>()
        };
        let state = match &self.state {
            State::Learning(learning) | State::Calibrating(learning) => learnt(learning),
            State::Watching(watching) => size_of::<Watching>() + watching.reference.size(),
        };
        let alert = self.open.as_ref().map_or(0, Alert::size);
        size_of::<Self>()
            + state
            + names
            + alert
            + self.tools.capacity() * size_of::<(u64, Box<str>)>()
            + size_of::<[Observation; RECENT]>()
    }

    fn alarm(&mut self, place: u64, at_micros: i64, stream: Stream, since: u32) -> Option<&Alert> {
        let window = since.max(LEAST_RECENT);
        let (size, moved) = self.diverged(stream, window)?;
        let severity = Severity::of(size);
        if let Some(open) = &mut self.open {
            // it goes on: it may be worse than it seemed, and is no second alarm
            open.worsen(severity, size);
            return None;
        }
        self.open = Some(Alert::new(place, at_micros, stream, since, severity, size, moved));
        self.open.as_ref()
    }

    fn diverged(&self, stream: Stream, calls: u32) -> Option<(f64, Vec<Moved>)> {
        let State::Watching(watching) = &self.state else {
            return None;
        };
        let usual = watching.reference.shares(stream);
        let mut now = vec![0.0; usual.len()];
        let calls = u64::from(calls).min(RECENT as u64).min(self.seen);
        for back in 1..=calls {
            let at = ((self.seen - back) % RECENT as u64) as usize;
            let category = self.recent.get(at).and_then(|call| call.get(stream.index())).copied();
            if let Some(count) = now.get_mut(usize::from(category.unwrap_or(0))) {
                *count += 1.0 / calls as f64;
            }
        }
        let size = corrected(&usual, &now, calls);
        let mut moved: Vec<_> = usual.iter().zip(&now).enumerate().collect();
        moved.sort_by(|(_, (a, b)), (_, (c, d))| (*d - *c).abs().total_cmp(&(*b - *a).abs()));
        let moved = moved.into_iter().take(3).filter(|(_, (usual, now))| usual != now);
        let moved = moved.map(|(category, (usual, now))| Moved {
            category: self.name(stream, category),
            usual: *usual,
            now: *now,
        });
        Some((size, moved.collect()))
    }

    /// A category as people say it.
    fn name(&self, stream: Stream, category: usize) -> String {
        match stream {
            Stream::Tool => match self.tools.get(category) {
                Some((_, name)) => name.to_string(),
                None => "other tools".to_owned(),
            },
            Stream::Effect => Effect::ALL.get(category).map_or("", |effect| effect.code()).to_owned(),
            Stream::Target => TargetKind::ALL.get(category).map_or("", |kind| kind.code()).to_owned(),
            Stream::Shape => format!("up to {} bytes", (1_u64 << (2 * category + 2)) - 1),
            Stream::Verdict => ["allowed", "escalated", "denied"]
                .get(category)
                .copied()
                .unwrap_or("")
                .to_owned(),
            Stream::Outcome => ["none ended", "ended well", "ended badly"]
                .get(category)
                .copied()
                .unwrap_or("")
                .to_owned(),
            Stream::Pace => match category {
                0 => "at once".to_owned(),
                _ => format!("after {} ms and more", (1_u64 << (2 * category)) - 1),
            },
        }
    }

    /// The number of a tool; those that were not learnt are one.
    fn tool(&mut self, name: &str) -> u8 {
        let hash = hash(name);
        if let Some(at) = self.tools.iter().position(|(known, _)| *known == hash) {
            return at as u8;
        }
        let at = self.tools.len();
        if matches!(self.state, State::Learning(_)) && at < MOST_TOOLS {
            let name: String = name
                .chars()
                .scan(0, |bytes, c| {
                    *bytes += c.len_utf8();
                    (*bytes <= MOST_NAME).then_some(c)
                })
                .collect();
            self.tools.push((hash, name.into()));
        }
        at.min(MOST_TOOLS) as u8
    }
}

impl Learning {
    fn learn(&mut self, session: u64, observation: Observation) {
        // calls without a session hang together for a stretch
        let longest = if session == 0 { STRETCH as u8 } else { LONGEST };
        let found = self
            .side_by_side
            .iter_mut()
            .find(|(of, _, calls)| *of == session && *calls < longest);
        let block = match found {
            Some((_, block, calls)) => {
                *calls += 1;
                *block
            }
            None => {
                self.side_by_side.retain(|(of, _, _)| *of != session);
                if self.side_by_side.len() >= SIDE_BY_SIDE {
                    self.side_by_side.remove(0);
                }
                let block = self.blocks;
                self.blocks = self.blocks.saturating_add(1);
                self.side_by_side.push((session, block, 1));
                block
            }
        };
        if self.calls.is_empty() {
            self.calls.reserve_exact(LEAST_CALLS);
        }
        self.calls.push((block, observation));
    }

    fn is_done(&self) -> bool {
        self.calls.len() >= LEAST_CALLS && usize::from(self.blocks) >= LEAST_SESSIONS
    }

    fn sessions(&self) -> Vec<Vec<Observation>> {
        let mut sessions = vec![Vec::new(); self.blocks.into()];
        for (block, call) in &self.calls {
            if let Some(session) = sessions.get_mut(usize::from(*block)) {
                session.push(*call);
            }
        }
        sessions
    }
}

impl Calibration {
    /// The thresholds.
    #[must_use]
    pub fn run(&self) -> Calibrated {
        Calibrated {
            number: self.number,
            thresholds: calibrate::thresholds(&self.sample, RUN_LENGTH),
        }
    }
}

impl Calibrated {
    /// As a JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let limits: Vec<String> = self.thresholds.iter().flatten().map(ToString::to_string).collect();
        format!(r#"{{"number":{},"thresholds":[{}]}}"#, self.number, limits.join(","))
    }

    /// Of its JSON object; none where it is of another version.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Body {
            number: u32,
            thresholds: Vec<i32>,
        }
        let body: Body = serde_json::from_str(json).ok()?;
        if body.thresholds.len() != STREAMS * TESTS || body.thresholds.iter().any(|limit| *limit <= 0) {
            return None;
        }
        let mut thresholds = [[0; TESTS]; STREAMS];
        for (limit, said) in thresholds.iter_mut().flatten().zip(body.thresholds) {
            *limit = said;
        }
        Some(Self {
            number: body.number,
            thresholds,
        })
    }
}

/// FNV-1a; 0 stands for no session.
fn hash(text: &str) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    text.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fold).max(1)
}
