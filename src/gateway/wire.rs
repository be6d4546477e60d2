//! Wire shapes of the Chat Gateway: exact in what is sent, lenient in what is received.

mod lenient;
pub(super) mod received;
pub(super) mod sent;
