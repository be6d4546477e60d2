//! Use cases of a conversation, and what is legal in its life.

pub mod calls;
pub mod change;
pub mod echo;
mod idempotency;
pub mod session;
pub mod settle;
pub mod state;

pub use calls::Conversations;
pub use change::SessionChange;
pub use session::Session;
pub use state::SessionState;
