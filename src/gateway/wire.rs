//! Wire shapes of the Chat Gateway: exact in what is sent, lenient in what is received.

mod lenient;
mod message;
pub(super) mod received;
pub(super) mod sent;
