//! Who may call, and what.
//!
//! A call presents a bearer token or the certificate of its connection. [`Access`] tells from it who calls: a [`Caller`] with a name,
//! a role and tenants, or a [`Denied`]. `grpc::access` asks for every call, before anything of it is read; which role an RPC needs
//! is in [`rule`], and whose data it may touch is checked where its tenant is looked up ([`crate::tenant::Tenants::of`]).
//!
//! What may be presented is a [`Policy`]: static tokens, of which only hashes are known, JSON web tokens (RFC 7519) of issuers whose
//! keys are fetched from a pinned address, and names in client certificates. It can be replaced while the service runs.

mod caller;
mod claims;
mod denied;
mod door;
mod guests;
mod issuer;
mod jwks;
mod policy;
pub mod rule;
pub mod token;
mod usage;

pub use self::{
    caller::{Caller, CallerLimits, Grant, Role, Scope},
    claims::{ClaimGrant, Claims},
    denied::Denied,
    door::{Access, Presented},
    guests::Guests,
    issuer::{IssuerPolicy, PublishedKeys},
    policy::Policy,
    usage::StreamPlace,
};
