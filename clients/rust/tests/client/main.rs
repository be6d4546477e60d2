//! The client against a server that does as it is told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod errors;
mod events;
mod fake;
mod files;
