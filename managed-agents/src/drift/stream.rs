//! What is watched of each call: seven small numbers.

use serde::{Deserialize, Serialize};

/// One call, as one category for each stream.
pub(super) type Observation = [u8; STREAMS];

/// How many streams there are.
pub(super) const STREAMS: usize = 7;

/// How many tools a reference knows by name; all others are one more.
pub(super) const MOST_TOOLS: usize = 40;

/// What a detector looks at.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stream {
    /// Which tool is called.
    Tool,
    /// What the call does: it reads, changes, is grave.
    Effect,
    /// What kind of thing it is aimed at.
    Target,
    /// How large its arguments are.
    Shape,
    /// Whether it is allowed, escalated or denied.
    Verdict,
    /// How the calls before it ended: none did, all well, one badly.
    Outcome,
    /// How long after the call before it.
    Pace,
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; STREAMS] = [
        Self::Tool,
        Self::Effect,
        Self::Target,
        Self::Shape,
        Self::Verdict,
        Self::Outcome,
        Self::Pace,
    ];

    /// The stable word for it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Effect => "effect",
            Self::Target => "target",
            Self::Shape => "shape",
            Self::Verdict => "verdict",
            Self::Outcome => "outcome",
            Self::Pace => "pace",
        }
    }

    /// How many categories it has, where so many tools are known.
    pub(super) fn categories(self, tools: usize) -> usize {
        match self {
            Self::Tool => tools.min(MOST_TOOLS) + 1,
            Self::Effect | Self::Verdict | Self::Outcome => 3,
            Self::Target => 10,
            Self::Shape => 8,
            Self::Pace => 16,
        }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// The category of a size in bytes: it doubles from one to the next.
pub(super) fn shape(bytes: u32) -> u8 {
    (bytes.max(1).ilog2() as u8 / 2).min(7)
}

/// The category of a time between two calls: it is four times as long from one to the next, from a millisecond on.
pub(super) fn pace(micros: i64) -> u8 {
    let millis = u64::try_from(micros / 1_000).unwrap_or(0);
    ((millis + 1).ilog2() / 2).min(15) as u8
}
