//! Chatbridge: typed gRPC calls to the agents of an 8x8 contact centre, and one stream of what they do.
//!
//! # Two journeys
//!
//! **An event** comes in: [`webhook`] takes the vendor's request, verifies its signature over the raw bytes, normalises it
//! to an [`event::Event`], and appends it to the log of the [`store`]; only then is the webhook answered 2xx. Its part ends
//! there. On every replica [`fanout`] tails the log and hands entries to subscribers, and [`grpc`] streams them as
//! `AgentEvents`. Which replica got the webhook plays no part in it.
//!
//! **A call** goes out: [`access`] tells who makes it and what they may, [`grpc`] checks the request and converts it,
//! [`conversation`] is the use case, [`gateway`] is the one door to the vendor, and the [`store`] keeps the session and what makes
//! a repeated call harmless.
//!
//! # Rooms
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`server`] | [`serve`]: puts the parts together, listeners, drain |
//! | [`config`], [`error`], [`telemetry`], [`tenant`] | settings, failures with stable reasons, logs and metrics, who is served |
//! | [`access`] | who may call, and what: tokens, web tokens, certificates; roles and tenants |
//! | [`tls`] | certificates from files, reread when they change |
//! | [`json`] | JSON of others, read as what it says |
//! | [`event`] | events and places in the log, as plain types |
//! | [`agents`] | agents' names, from the operator's file or URL |
//! | [`chat_v2`] | a port for clients of 8x8's older Chat API, over the same use cases |
//! | [`conversation`] | use cases, the table of legal state changes, sessions |
//! | [`webhook`] | the door for the vendor's webhooks |
//! | [`gateway`] | the client of the vendor's REST API |
//! | [`store`] | sessions, event log, idempotency records; Redis and in-memory behind one trait |
//! | [`fanout`] | from the log to subscribers |
//! | [`subscription`] | named subscriptions: durable ones, and shared ones whose members split the conversations |
//! | [`grpc`] | thin services, conversion, status mapping; generated types stay in there |
//! | [`sandbox`] | a Chat Gateway for your own machine, with scripted agents |
//! | [`doctor`] | checks a configuration against the real thing, and explains why a webhook was refused |
//! | [`recording`] | records what passes between 8x8 and a service, and plays it to another |
//! | [`status`] | what an operator sees of a replica |
//! | [`cli`] | the command line |

pub mod access;
pub mod agents;
pub mod chat_v2;
pub mod cli;
pub mod config;
pub mod conversation;
pub mod doctor;
pub mod error;
pub mod event;
pub mod fanout;
pub mod gateway;
pub mod grpc;
pub mod json;
pub mod recording;
pub mod sandbox;
pub mod server;
pub mod status;
pub mod store;
pub mod subscription;
pub mod telemetry;
pub mod tenant;
pub mod tls;
pub mod webhook;

pub use config::Config;
pub use server::{Listeners, serve};
