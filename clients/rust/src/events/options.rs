use std::sync::Arc;

use super::hooks::{CursorHooks, Hooks};

/// How a stream goes on, and where its cursor is kept.
#[derive(Clone)]
pub struct StreamOptions {
    pub(super) resume: bool,
    pub(super) buffer: usize,
    pub(super) hooks: Option<Arc<dyn Hooks>>,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            resume: true,
            buffer: 64,
            hooks: None,
        }
    }
}

impl StreamOptions {
    /// Raises each break in place of connecting again; an `ending` then ends the stream.
    #[must_use]
    pub fn without_resume(mut self) -> Self {
        self.resume = false;
        self
    }

    /// How many responses are held that were not asked for: 64; at least 1.
    #[must_use]
    pub fn buffer(mut self, responses: usize) -> Self {
        self.buffer = responses.max(1);
        self
    }

    /// Where the cursor is loaded from and saved to. Not with a subscription, whose place Chatbridge keeps.
    #[must_use]
    pub fn cursor_hooks(mut self, hooks: impl CursorHooks) -> Self {
        self.hooks = Some(Arc::new(hooks));
        self
    }
}
