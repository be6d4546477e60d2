//! The client against a server that does as it is told.

mod calls;
mod errors;
mod events;
mod fake;
mod files;
