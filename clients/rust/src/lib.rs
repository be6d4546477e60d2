//! A client of Chatbridge: hands chats to human agents of an 8x8 contact centre, and follows what they do.
//!
//! ```no_run
//! use chatbridge_client::{Client, v1};
//! use futures_util::StreamExt as _;
//!
//! # async fn example() -> Result<(), chatbridge_client::Error> {
//! let client = Client::connect("http://127.0.0.1:50051").await?;
//! let mut events = client.agent_events(v1::AgentEventsRequest::default());
//! while let Some(response) = events.next().await {
//!     println!("{:?}", response?.payload);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`Client`] has each call of the contract as a method; [`ClientBuilder`] says how it connects, who it is and how long it waits.
//! - [`AgentEvents`] is the stream of what agents do. It goes on over breaks.
//! - [`Error`] says what went wrong, with the contract's stable reasons.
//! - [`v1`] has the contract's messages.
//!
//! Everything runs on Tokio: clients and streams are made inside a runtime.

mod backoff;
mod builder;
mod call;
mod client;
mod connection;
mod download;
mod error;
mod events;
mod files;
mod messages;
mod methods;
mod pages;
mod status;
mod token;
mod upload;
/// The messages of the contract, as `proto/chatbridge/v1` describes them.
#[allow(clippy::all)]
pub mod v1;

pub use backoff::Backoff;
pub use builder::ClientBuilder;
pub use client::Client;
pub use download::Download;
pub use error::{BoxError, Error};
pub use events::{AgentEvents, Changer, CursorHooks, StreamOptions};
pub use files::Content;
pub use status::{FieldViolation, StatusError};
