//! The gRPC side: thin services, one conversion between protobuf and domain, one mapping of errors.
//!
//! Generated types and tonic stay in here (and in the command line, which is a client like any other). A call goes through
//! `check` and `convert` (all that is wrong with a request, at once), `paging` and `fiql` (lists), the use case, `fields` (the
//! vendor's names of fields become the caller's) and `status`.

pub mod access;
mod asker;
pub mod attachments;
mod call;
mod check;
pub mod configuration;
mod content;
pub mod conversations;
pub mod convert;
mod deadline;
pub mod events;
mod fields;
pub(crate) mod fiql;
mod framing;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod gate;
pub mod line;
pub mod measured;
mod paging;
pub mod proto;
pub mod sessions;
mod source;
pub mod status;
pub mod subscriptions;
mod traced;
