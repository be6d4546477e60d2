//! What the checker finds.

use std::fmt;

/// Which promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An event is in the log twice.
    Doubled,
    /// A body that is not the first under its id was accepted.
    ForgeryAccepted,
    /// The log turned an event away that it did not know.
    TurnedAway,
    /// An event was accepted and is not in the log, or not in the place that was answered.
    NotInLog,
    /// The log counts with a hole, or backwards.
    Hole,
    /// The log holds, or a stream delivered, what nobody offered.
    MadeUp,
    /// An event came with other bytes than the log holds.
    Altered,
    /// A stream left an event out, or it never came.
    Lost,
    /// An event came again, within a stream or to a resume whose cursor lies behind it.
    Repeated,
    /// An event came before one that precedes it in its conversation.
    Reordered,
    /// An event came from before the start of its stream.
    TooEarly,
    /// An event came that the filter leaves out.
    Unmatched,
    /// Events are gone, and the stream was not told.
    GapNotTold,
    /// A gap was told where nothing is gone.
    GapUntrue,
    /// A stream ended with an error that it must not have.
    Failed,
}

/// One broken promise.
#[derive(Debug, Clone)]
pub(super) struct Violation {
    pub(super) kind: Kind,
    pub(super) what: String,
}

impl Violation {
    pub(super) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}

pub(super) type Checked<T = ()> = Result<T, Violation>;

/// Fails a check.
macro_rules! violation {
    ($kind:ident, $($what:tt)*) => {
        Err($crate::checker::violation::Violation::new(
            $crate::checker::violation::Kind::$kind,
            format!($($what)*),
        ))
    };
}
pub(super) use violation;
