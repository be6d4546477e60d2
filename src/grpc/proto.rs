//! What is generated from `proto/`.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

tonic::include_proto!("chatbridge.v1");

/// The server side of the stream, whose response is bytes that were encoded before.
pub mod encoded {
    include!(concat!(env!("OUT_DIR"), "/encoded/chatbridge.v1.rs"));
}

/// The contract's descriptors, encoded.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/chatbridge.bin"));
