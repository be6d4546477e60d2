//! What is generated from `proto/`.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

tonic::include_proto!("chatbridge.v1");

/// The server side of what `AgentEventService` and `AttachmentService` have beside their streams.
pub mod unary {
    include!(concat!(env!("OUT_DIR"), "/unary/chatbridge.v1.rs"));
}

/// The contract's descriptors, encoded.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/chatbridge.bin"));
