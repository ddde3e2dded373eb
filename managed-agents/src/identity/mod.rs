//! Identities of agents: who vouches for them, what they may use, and whether they may act.

mod authority;
mod certificate;
mod delegation;
mod der;
mod encoding;
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
mod scope;
mod standing;
mod state;
mod statement;
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
pub use scope::Scope;
pub use standing::{Standing, StandingError};
pub use state::{AgentState, StateStatement};
pub use trust::Trust;
