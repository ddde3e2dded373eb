//! A detector as it is kept between two starts, and read again.

use super::{Detector, MOST_NAME, MOST_TOOLS, State};

/// No learning takes longer: thirty sessions of the longest length, and a few more calls.
const MOST_LEARNT: usize = 2_048;

impl Detector {
    /// Whether it is one that calls could have made: what was kept is read from a file.
    pub(crate) fn is_sound(&self) -> bool {
        let state = match &self.state {
            State::Learning(learning) | State::Calibrating(learning) => {
                learning.calls.len() <= MOST_LEARNT && learning.side_by_side.len() <= super::SIDE_BY_SIDE
            }
            State::Watching(watching) => {
                watching.reference.is_sound() && watching.thresholds.iter().flatten().all(|limit| *limit > 0)
            }
        };
        let names = self.tools.iter().all(|(_, name)| name.len() <= MOST_NAME);
        let alert = self.open.as_ref().is_none_or(|alert| alert.moved().len() <= 3);
        state && names && alert && self.tools.len() <= MOST_TOOLS && self.seen < 1 << 60 && self.session.1 < 1 << 30
    }
}

/// More numbers than serde takes in an array.
pub(super) mod recent {
    use serde::de::{Deserialize as _, Error as _};
    use serde::{Deserializer, Serialize as _, Serializer};

    use super::super::{Observation, RECENT};

    pub(in super::super) fn serialize<S: Serializer>(recent: &[Observation; RECENT], to: S) -> Result<S::Ok, S::Error> {
        recent.as_slice().serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Box<[Observation; RECENT]>, D::Error> {
        let recent = Vec::<Observation>::deserialize(from)?;
        recent
            .into_boxed_slice()
            .try_into()
            .map_err(|_| D::Error::custom("another number of calls than is kept"))
    }
}
