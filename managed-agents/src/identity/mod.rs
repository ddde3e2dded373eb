//! Identities of agents: who vouches for them, what they may use, and whether they may act.
//!
//! An [`Authority`] (an Ed25519 key with a self-signed X.509 certificate) gives each agent two things for the same key: a
//! [`Passport`], a signed statement of who answers for the agent and what it may use, and a [`Certificate`] in the form of a
//! SPIFFE X.509-SVID (`spiffe://<trust domain>/agent/<id>`) for everyone who knows only X.509. Neither ever changes: both are
//! short-lived and replaced by [renewal](Authority::renew), which names what it replaces. Whether the agent may act is said
//! apart from that, by [`StateStatement`]s, of which the last counts. [`Trust`] checks all of these with nothing but the
//! authority's certificate; [`Standing`] is the little that is checked in each decision.
//!
//! # Who holds which key
//!
//! | | on the first run | with an operator |
//! |---|---|---|
//! | authority | [in a file](KeyDir::authority) | with the operator, [under a passphrase](KeyDir::lock_authority) |
//! | agent | in its process, or [a file](KeyDir::agent_key) | the same |
//! | log | [in a file](KeyDir::log_key), [certified](Authority::certify_log_key) for checkpoints of one log | the same |
//! | renewal | by the authority | by a [`Mandate`]: renewals that the authority signed in advance |
//!
//! # What is checked where
//!
//! Signatures and rights are checked when an agent is registered or renewed. Each decision checks only the [`Standing`]: the
//! state, and the expiry by the later of the clock and the log's last entry, so that a clock that was set back revives nothing.
//! Certificates and statements of the past verify at any time: [`Trust::verify`] does not ask what time it is.
//!
//! # Delegation
//!
//! An agent [hands on](VerifiedPassport::delegate) some of its rights with its own key. The sub-agent's name begins with the
//! agent's own, its tools are among the agent's, its passport ends no later, and it may hand on less deep. All passports of
//! the chain are checked together, and [`Standing::under`] makes a sub-agent stop when anyone above it does.
//!
//! # Replacing the authority's key
//!
//! [`Authority::rotate`] makes a new key. The old and the new vouch for each other in X.509, so that what either signed
//! verifies with either as the root (`openssl verify -untrusted`).

mod authority;
mod certificate;
mod delegation;
mod der;
pub(crate) mod encoding;
mod error;
mod key;
mod key_dir;
mod locked;
mod log_key;
mod mandate;
mod moment;
mod name;
mod passport;
mod profile;
mod resume;
mod scope;
mod standing;
mod state;
pub(crate) mod statement;
mod trust;
mod wire;

pub use authority::{Authority, Credential, Enrolment, Issued, LIFETIME, MAX_LIFETIME, Rotation};
pub use certificate::Certificate;
pub use delegation::Delegation;
pub use error::{IdentityError, IdentityErrorKind};
pub use key::{KeyId, PrivateKey, PublicKey};
pub use key_dir::KeyDir;
pub use log_key::LogKeyCertificate;
pub use mandate::Mandate;
pub use moment::Moment;
pub use name::TrustDomain;
pub use passport::{Passport, PassportId, VerifiedPassport};
pub use resume::ResumeStatement;
pub use scope::Scope;
pub use standing::{Standing, StandingError};
pub use state::{AgentState, StateStatement};
pub use trust::Trust;
