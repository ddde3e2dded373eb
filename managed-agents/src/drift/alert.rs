//! What is said of a change.

use super::stream::Stream;

/// How large a change is.
#[derive(Clone, Copy, Debug, serde::Deserialize, Eq, Ord, PartialEq, PartialOrd, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Below 0.1 bits of divergence.
    Moderate,
    /// From 0.1 bits on.
    High,
    /// From 0.25 bits on.
    Critical,
}

/// A change of an agent's behaviour that chance alone makes once in [`RUN_LENGTH`](super::RUN_LENGTH) calls.
#[derive(Clone, Debug, serde::Deserialize, PartialEq, serde::Serialize)]
pub struct Alert {
    place: u64,
    at_micros: i64,
    stream: Stream,
    since: u32,
    severity: Severity,
    size: f64,
    moved: Vec<Moved>,
}

/// A category whose share changed.
#[derive(Clone, Debug, serde::Deserialize, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Moved {
    /// The category.
    pub category: String,
    /// Its share in what is usual.
    pub usual: f64,
    /// Its share since the change, as far as is remembered.
    pub now: f64,
}

impl Severity {
    pub(super) fn of(size: f64) -> Self {
        if size >= 0.25 {
            Self::Critical
        } else if size >= 0.1 {
            Self::High
        } else {
            Self::Moderate
        }
    }

    /// The stable word for it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Alert {
    pub(super) fn new(
        place: u64,
        at_micros: i64,
        stream: Stream,
        since: u32,
        severity: Severity,
        size: f64,
        moved: Vec<Moved>,
    ) -> Self {
        Self {
            place,
            at_micros,
            stream,
            since,
            severity,
            size,
            moved,
        }
    }

    /// The place of the call with which it was raised.
    #[must_use]
    pub fn place(&self) -> u64 {
        self.place
    }

    /// When it was raised, in microseconds since 1970.
    #[must_use]
    pub fn at_micros(&self) -> i64 {
        self.at_micros
    }

    /// In what the calls changed.
    #[must_use]
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// How many calls before that it most likely began.
    #[must_use]
    pub fn since(&self) -> u32 {
        self.since
    }

    /// How large the change is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The size of the change, in bits (Jensen-Shannon divergence, less what chance alone makes it).
    #[must_use]
    pub fn divergence(&self) -> f64 {
        self.size
    }

    /// The categories that moved most, the furthest first.
    #[must_use]
    pub fn moved(&self) -> &[Moved] {
        &self.moved
    }

    /// As the body of an entry: whole numbers, shares and bits in thousandths.
    pub(crate) fn to_json(&self) -> String {
        let thousandths = |share: f64| (share * 1e3).round() as u32;
        let moved = self.moved.iter().map(|moved| {
            let (category, now, usual) = (&moved.category, thousandths(moved.now), thousandths(moved.usual));
            serde_json::json!({ "category": category, "now": now, "usual": usual })
        });
        serde_json::json!({
            "alarm": self.place,
            "divergence": thousandths(self.size),
            "moved": moved.collect::<Vec<_>>(),
            "severity": self.severity.code(),
            "since": self.since,
            "stream": self.stream.code(),
        })
        .to_string()
    }

    pub(super) fn worsen(&mut self, severity: Severity, size: f64) {
        self.severity = self.severity.max(severity);
        self.size = self.size.max(size);
    }

    pub(super) fn size(&self) -> usize {
        let names: usize = self.moved.iter().map(|moved| moved.category.capacity()).sum();
        names + self.moved.capacity() * size_of::<Moved>()
    }
}
