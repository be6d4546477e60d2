//! The vendor's signed webhooks: taken over HTTP, verified, normalised, and put in the event log.
//!
//! `signature` (request to verified delivery) and `normalise` (verified delivery to event) are pure; `keys` holds the
//! vendor's public keys; `ingress` puts them together and ends at the log. Who hears of an event is not known here.
//!
//! `explain` says which part of a request is at fault, by the same rules.
//!
//! Before any of that, `source` says where a request comes from, `rates` how many may come, and `seats` who has a place.

pub mod explain;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod ingress;
mod jwk;
pub mod keys;
mod normalise;
mod rates;
mod read;
mod refusal;
pub mod seats;
pub mod signature;
pub(crate) mod signer;
mod skeleton;
pub mod source;
mod trace_context;

pub use ingress::{Ingress, IngressSettings, Served, router};
pub use jwk::{JwkError, VerifyingKey};
pub use keys::{KeyCache, KeyCacheSettings, KeySource};
pub use normalise::{Received, normalise};
pub use rates::RateLimits;
pub use refusal::Refusal;
pub use seats::{Seat, SeatLimits, Seats};
pub use signature::Verified;
pub use source::{ForwardedHeader, Sources};
