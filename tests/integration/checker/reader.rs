//! Readers, which know `fanout` for all others. A reader holds one stream at a time and writes down what it got; what to
//! think of that is judged later (`walk`).

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use chatbridge::{
    error::Error,
    event::{ConversationKey, TenantId},
    fanout::{Delivery, Filter, GapPolicy, Start, Subscriber},
    store::{Cursor, Entry, Gap},
};
use futures_util::FutureExt as _;
use tokio::{task::coop::unconstrained, time::timeout};

use super::{
    offers::{Offers, Tick},
    replica::Replica,
    tap::{Tap, Trick},
};

/// What a stream asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) tenant: TenantId,
    /// None: all.
    pub(super) conversations: BTreeSet<String>,
    /// None: all.
    pub(super) kinds: BTreeSet<i32>,
    pub(super) echoes: bool,
}

impl Wanted {
    /// The checker's own idea of what matches.
    pub(super) fn matches(&self, key: &ConversationKey, kind: i32, echo: bool) -> bool {
        let none_or_has = self.conversations.is_empty() || self.conversations.contains(&key.conversation);
        let kind = self.kinds.is_empty() || self.kinds.contains(&kind);
        key.tenant == self.tenant && none_or_has && kind && (self.echoes || !echo)
    }

    fn filter(&self) -> Filter {
        Filter {
            tenant: self.tenant.clone(),
            conversations: self.conversations.clone(),
            share: None,
            kinds: self.kinds.iter().copied().collect(),
            echoes: self.echoes,
        }
    }
}

/// Where a stream began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    Latest,
    Earliest,
    /// Unix milliseconds.
    Time(u64),
    /// At a mark of an earlier stream of the same reader.
    Mark {
        stream: usize,
        mark: usize,
    },
}

/// What to do about a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Fail,
    Earliest,
    Latest,
}

/// What a stream got.
pub(super) enum Seen {
    Entry(Arc<Entry>),
    /// With the cursors before and after.
    Gap(Gap, Cursor, Cursor),
    /// It ended, as it should after a gap.
    Ended,
    /// It ended with another error.
    Broke(String),
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => {
                let (id, key) = (entry.id, &entry.key.conversation);
                write!(
                    f,
                    "{key:?} p{} {}-{} of {:x}",
                    entry.partition, id.ms, id.n, id.epoch
                )
            }
            Self::Gap(gap, before, after) => write!(f, "{gap:?} from {before:?} to {after:?}"),
            Self::Ended => f.write_str("ended"),
            Self::Broke(error) => write!(f, "broke: {error}"),
        }
    }
}

/// A cursor that the reader noted.
pub(super) struct Mark {
    /// How much the stream had got.
    pub(super) after: usize,
    pub(super) cursor: Cursor,
    pub(super) tick: Tick,
}

/// All that is known of one stream.
pub(super) struct Stream {
    pub(super) wanted: Wanted,
    pub(super) policy: Policy,
    pub(super) begin: Begin,
    /// When it had joined.
    pub(super) joined: Tick,
    pub(super) seen: Vec<Seen>,
    pub(super) marks: Vec<Mark>,
}

impl Stream {
    /// What it asked for, and the last that it got up to `seen`.
    pub(super) fn tell(&self, seen: usize) -> String {
        let last = &self.seen[seen.saturating_sub(6)..seen];
        let Self {
            wanted,
            begin,
            policy,
            ..
        } = self;
        format!("{wanted:?} from {begin:?}, at gaps {policy:?}; got {seen}, the last {last:#?}")
    }
}

/// A reader.
pub(super) struct Reader {
    pub(super) number: usize,
    pub(super) streams: Vec<Stream>,
    open: Option<Tap>,
    trick: Option<Trick>,
}

impl Reader {
    pub(super) fn new(number: usize, trick: Option<Trick>) -> Self {
        Self {
            number,
            streams: Vec::new(),
            open: None,
            trick,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The stream that is open, or was last.
    pub(super) fn stream(&self) -> Option<&Stream> {
        self.streams.last()
    }

    /// The last mark of all, which is that of the last stream: each has one when it begins and when it ends.
    pub(super) fn last_mark(&self) -> Option<Begin> {
        let stream = self.streams.len().checked_sub(1)?;
        let mark = self.streams[stream].marks.len().checked_sub(1)?;
        Some(Begin::Mark { stream, mark })
    }

    /// Opens a stream; whether that worked.
    pub(super) async fn connect(
        &mut self,
        replica: &Replica,
        (wanted, begin, policy): (Wanted, Begin, Policy),
        wait: Duration,
        offers: &Offers,
    ) -> bool {
        let start = match begin {
            Begin::Latest => Start::Latest,
            Begin::Earliest => Start::Earliest,
            Begin::Time(ms) => Start::Time(ms),
            Begin::Mark { stream, mark } => {
                let cursor = self.streams[stream].marks[mark].cursor.encode();
                Start::Cursor(Cursor::decode(&cursor).expect("a cursor comes back as it went"))
            }
        };
        let gap_policy = match policy {
            Policy::Fail => GapPolicy::Fail,
            Policy::Earliest => GapPolicy::Earliest,
            Policy::Latest => GapPolicy::Latest,
        };
        let mut subscriber = Subscriber::new(Arc::clone(&replica.hub), wanted.filter(), start, gap_policy);
        if subscriber.join(wait).await.is_err() {
            return false;
        }
        self.open = Some(Tap::new(subscriber, self.trick.clone()));
        self.streams.push(Stream {
            wanted,
            policy,
            begin,
            joined: offers.now(),
            seen: Vec::new(),
            marks: Vec::new(),
        });
        self.mark(offers);
        true
    }

    /// Notes the cursor.
    pub(super) fn mark(&mut self, offers: &Offers) {
        if let (Some(open), Some(stream)) = (&self.open, self.streams.last_mut()) {
            stream.marks.push(Mark {
                after: stream.seen.len(),
                cursor: open.cursor(),
                tick: offers.now(),
            });
        }
    }

    /// Takes what is there without waiting; whether there was something.
    pub(super) fn poll(&mut self) -> bool {
        let Some(open) = &mut self.open else { return false };
        let before = open.cursor();
        match unconstrained(open.next()).now_or_never() {
            Some(got) => self.note(got, before),
            None => return false,
        }
        true
    }

    /// Waits for what comes next; whether something came.
    pub(super) async fn wait(&mut self, wait: Duration) -> bool {
        let Some(open) = &mut self.open else { return false };
        let before = open.cursor();
        match timeout(wait, open.next()).await {
            Ok(got) => self.note(got, before),
            Err(_) => return false,
        }
        true
    }

    /// Does what a heartbeat does: moves the cursor over what did not match.
    pub(super) fn beat(&mut self) {
        let Some(open) = &mut self.open else { return };
        let before = open.cursor();
        if let Some(delivery) = open.skip_unmatched() {
            self.note(Ok(delivery), before);
        }
    }

    /// Goes away, with the cursor noted.
    pub(super) fn leave(&mut self, offers: &Offers) {
        self.mark(offers);
        self.open = None;
    }

    fn note(&mut self, got: Result<Delivery, Error>, before: Cursor) {
        let (Some(open), Some(stream)) = (&self.open, self.streams.last_mut()) else {
            return;
        };
        let seen = match got {
            Ok(Delivery::Entry(entry)) => Seen::Entry(entry),
            Ok(Delivery::Gap(gap, _)) => Seen::Gap(gap, before, open.cursor()),
            Ok(other) => Seen::Broke(format!("nobody asked for {other:?}")),
            Err(error) => {
                self.open = None;
                match error {
                    Error::CursorGap => Seen::Ended,
                    other => Seen::Broke(other.to_string()),
                }
            }
        };
        stream.seen.push(seen);
    }
}
