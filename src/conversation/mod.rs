//! Use cases of a conversation, and what is legal in its life.

mod attachments;
pub mod calls;
pub mod change;
mod configuration;
pub mod contact;
mod creation;
pub mod echo;
pub mod find_or_create;
pub mod hand_over;
mod idempotency;
mod reconcile;
pub mod session;
pub mod settle;
pub mod state;
pub mod transcript;

pub use calls::Conversations;
pub use change::SessionChange;
pub use contact::Passage;
pub use session::Session;
pub use state::SessionState;
