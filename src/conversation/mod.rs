//! Use cases of a conversation, and what is legal in its life.

pub mod change;
pub mod echo;
pub mod session;
pub mod state;

pub use change::SessionChange;
pub use session::Session;
pub use state::SessionState;
