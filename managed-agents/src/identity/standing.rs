//! What each decision checks an agent against.

use std::sync::Arc;

use super::AgentState;

/// How an agent stands: what the transaction that writes a decision checks (law 6).
///
/// # Examples
///
/// ```
/// use managed_agents::identity::{AgentState, Standing};
/// let standing = Standing {
///     epoch: 1,
///     state: AgentState::Active,
///     expires_micros: 2_000,
///     passport: "nmc-00000000000000000000000000000000".into(),
/// };
/// assert!(standing.admits(1_000, 900).is_ok());
/// // the clock was set back; the log knows better
/// assert_eq!(standing.admits(1_000, 2_000).unwrap_err().code(), "certificate_expired");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a store makes it from its rows")]
pub struct Standing {
    /// Changes whenever any state does.
    pub epoch: u64,
    /// The agent's state.
    pub state: AgentState,
    /// When the passport ends, in microseconds since 1970: from this time on it does not admit.
    pub expires_micros: i64,
    /// The id of the passport.
    pub passport: Arc<str>,
}

impl Standing {
    /// Whether a call may be made now. Both times are in microseconds since 1970: what the clock says, and the time of
    /// the log's last entry. The later of the two counts, so that a clock that was set back revives nothing.
    ///
    /// # Errors
    ///
    /// [`StandingError`] says why not; being stopped comes before being expired.
    #[inline]
    pub fn admits(&self, clock_micros: i64, log_micros: i64) -> Result<(), StandingError> {
        match self.state {
            AgentState::Active if clock_micros.max(log_micros) < self.expires_micros => Ok(()),
            AgentState::Active => Err(StandingError::Expired),
            AgentState::Suspended => Err(StandingError::Suspended),
            AgentState::Revoked => Err(StandingError::Revoked),
        }
    }

    /// How a sub-agent stands, given how the agent stands that it acts for: stopped when either is, expired when either is.
    #[must_use]
    pub fn under(mut self, parent: &Self) -> Self {
        self.epoch = self.epoch.max(parent.epoch);
        self.state = self.state.max(parent.state);
        self.expires_micros = self.expires_micros.min(parent.expires_micros);
        self
    }
}

/// Why an agent may make no call.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StandingError {
    /// It is suspended.
    #[error("the agent is suspended")]
    Suspended,
    /// It is revoked, for good.
    #[error("the agent is revoked")]
    Revoked,
    /// Its certificate has expired and was not renewed.
    #[error("the agent's certificate has expired")]
    Expired,
}

impl StandingError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Suspended => "agent_suspended",
            Self::Revoked => "agent_revoked",
            Self::Expired => "certificate_expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standing(epoch: u64, state: u8, expires_micros: i64) -> Standing {
        let state = match state {
            0 => AgentState::Active,
            1 => AgentState::Suspended,
            _ => AgentState::Revoked,
        };
        Standing {
            epoch,
            state,
            expires_micros,
            passport: "nmc".into(),
        }
    }

    #[test]
    fn an_expired_agent_stays_expired_when_the_clock_goes_back() {
        let standing = standing(0, 0, 1_000);
        assert_eq!(standing.admits(999, 999), Ok(()));
        assert_eq!(standing.admits(1_000, 0), Err(StandingError::Expired));
        // the decision at 1 000 was logged, then the clock was set to the year before
        assert_eq!(standing.admits(10, 1_000), Err(StandingError::Expired));
    }

    #[test]
    fn a_stopped_agent_is_not_admitted_before_it_expires() {
        assert_eq!(standing(0, 1, 1_000).admits(0, 0), Err(StandingError::Suspended));
        assert_eq!(standing(0, 2, 1_000).admits(5_000, 0), Err(StandingError::Revoked));
    }

    proptest! {
        #[test]
        fn a_later_clock_or_log_never_admits_more(
            state in 0..3_u8, expires in 0..100_i64, clock in 0..100_i64, log in 0..100_i64, more in 0..100_i64,
        ) {
            let standing = standing(0, state, expires);
            if standing.admits(clock, log).is_err() {
                prop_assert!(standing.admits(clock + more, log).is_err());
                prop_assert!(standing.admits(clock, log + more).is_err());
            }
        }

        #[test]
        fn a_sub_agent_is_admitted_only_where_both_are(
            a in (0..9_u64, 0..3_u8, 0..100_i64), b in (0..9_u64, 0..3_u8, 0..100_i64), now in 0..100_i64,
        ) {
            let (child, parent) = (standing(a.0, a.1, a.2), standing(b.0, b.1, b.2));
            let both = child.admits(now, 0).is_ok() && parent.admits(now, 0).is_ok();
            prop_assert_eq!(child.under(&parent).admits(now, 0).is_ok(), both);
        }
    }
}
