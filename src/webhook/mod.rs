//! The vendor's signed webhooks: taken over HTTP, verified, normalised, and put in the event log.
//!
//! `signature` (request to verified delivery) and `normalise` (verified delivery to event) are pure; `keys` holds the
//! vendor's public keys; `ingress` puts them together and ends at the log. Who hears of an event is not known here.

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod ingress;
mod jwk;
pub mod keys;
mod normalise;
mod read;
mod refusal;
pub mod signature;
mod skeleton;
mod trace_context;

pub use ingress::{Ingress, IngressSettings, Served, router};
pub use jwk::{JwkError, VerifyingKey};
pub use keys::{KeyCache, KeyCacheSettings, KeySource};
pub use normalise::{Received, normalise};
pub use refusal::Refusal;
pub use signature::Verified;
