//! What the agent is shown besides messages. Nobody else hears of it.

use super::conversation::Author;
use crate::sandbox::now_ms;

/// What customer and bot last let be shown.
#[derive(Debug, Default)]
pub(crate) struct Indicators {
    /// Who was last reported as typing, and when (Unix milliseconds).
    pub(crate) typing: Option<(Author, i64)>,
    /// The bot's work on an answer, until it has answered.
    pub(crate) thinking: Option<Thinking>,
    /// The last read receipt of each.
    pub(crate) read: Vec<ReadReceipt>,
}

/// The bot works on an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thinking {
    pub(crate) at_ms: i64,
    /// How long that is shown at most.
    pub(crate) max_seconds: u32,
}

/// Somebody has read all that was said up to a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadReceipt {
    pub(crate) who: Author,
    pub(crate) read_ms: i64,
    pub(crate) at_ms: i64,
}

impl Indicators {
    pub(crate) fn types(&mut self, who: Author) {
        self.typing = Some((who, now_ms()));
    }

    pub(crate) fn thinks(&mut self, max_seconds: u32) {
        self.thinking = Some(Thinking {
            at_ms: now_ms(),
            max_seconds,
        });
    }

    pub(crate) fn has_read(&mut self, who: Author, read_ms: i64) {
        self.read.retain(|it| it.who != who);
        self.read.push(ReadReceipt {
            who,
            read_ms,
            at_ms: now_ms(),
        });
    }
}
