//! The gRPC side: thin services, one conversion between protobuf and domain, one mapping of errors.
//!
//! Generated types and tonic stay in here (and in the command line, which is a client like any other).

pub mod conversations;
pub mod convert;
mod deadline;
pub mod encoded;
pub mod events;
mod paging;
pub mod proto;
pub mod sessions;
pub mod status;
