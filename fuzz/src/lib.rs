//! Fuzz targets: each takes any bytes, hands them to a reader of Chatbridge as somebody outside would, and panics where
//! a property does not hold. That no reader panics is one of the properties.
//!
//! The targets are plain functions, so that a test can call them with the corpus; `fuzz_targets/` hands them to the engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is how a target reports"
)]

pub mod answers;
pub mod cursor;
pub mod disposition;
pub mod fiql;
pub mod jwk;
pub mod page_token;
pub mod signature;
pub mod signed;
pub mod webhook;

use chatbridge::json;

/// What the engine calls with each input.
pub type Check = fn(&[u8]);

/// Every target by its name, which is also that of its corpus and its dictionary.
pub const TARGETS: [(&str, Check); 8] = [
    ("answers", answers::check),
    ("cursor", cursor::check),
    ("disposition", disposition::check),
    ("fiql", fiql::check),
    ("jwk", jwk::check),
    ("page_token", page_token::check),
    ("signature", signature::check),
    ("webhook", webhook::check),
];

/// A JSON object, written anew: other white space, other escapes, other order, the same meaning. `None` where the body is none.
fn rewritten(body: &[u8]) -> Option<Vec<u8>> {
    let value = json::from_slice(body).ok()?;
    let again = value.to_string().into_bytes();
    assert_eq!(json::from_slice(&again).unwrap(), value);
    value.is_object().then_some(again)
}
