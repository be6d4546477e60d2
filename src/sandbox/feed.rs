//! The live feed: what happens here, as it happens, for whoever looks on.
//!
//! Items are numbered from 1 without holes. The last ones are kept, so that a reader whose connection broke goes on where it was.
//! Nothing is put together before somebody has read the feed for the first time.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;
use tokio::sync::watch;

use super::locked;

/// How many items are kept, and how many bytes of them; the oldest go first.
const ITEMS: usize = 5_000;
const BYTES: usize = 16 << 20;

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) number: u64,
    /// What it is about: `agent`, `conversation`, `offer`, `event`, `delivery` or `fault`.
    pub(crate) kind: &'static str,
    /// JSON.
    pub(crate) data: Arc<str>,
}

/// The last items.
pub(crate) struct Feed {
    ring: Mutex<Ring>,
    read: AtomicBool,
    last: watch::Sender<u64>,
}

#[derive(Default)]
struct Ring {
    items: VecDeque<Item>,
    bytes: usize,
    last: u64,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            ring: Mutex::default(),
            read: AtomicBool::new(false),
            last: watch::Sender::new(0),
        }
    }
}

impl Feed {
    /// Tells what `data` says, if anybody ever listened.
    pub(crate) fn push(&self, kind: &'static str, data: impl FnOnce() -> Value) {
        if !self.read.load(Ordering::Relaxed) {
            return;
        }
        let data: Arc<str> = data().to_string().into();
        let mut ring = locked(&self.ring);
        ring.last += 1;
        ring.bytes += data.len();
        let number = ring.last;
        ring.items.push_back(Item { number, kind, data });
        while ring.items.len() > ITEMS || ring.bytes > BYTES {
            let oldest = ring.items.pop_front();
            ring.bytes -= oldest.map_or(0, |it| it.data.len());
        }
        self.last.send_replace(number);
    }

    /// A reader behind the item `after`; without one, of what happens from now on.
    pub(crate) fn reader(self: &Arc<Self>, after: Option<u64>) -> Reader {
        self.read.store(true, Ordering::Relaxed);
        let news = self.last.subscribe();
        let last = locked(&self.ring).last;
        Reader {
            feed: Arc::clone(self),
            // A number that is still to come is another sandbox's: all that is here is news to its reader.
            at: after.map_or(last, |after| if after > last { 0 } else { after }),
            news,
        }
    }
}

/// Somebody who reads.
pub(crate) struct Reader {
    feed: Arc<Feed>,
    at: u64,
    news: watch::Receiver<u64>,
}

/// What a reader gets.
#[derive(Debug)]
pub(crate) enum News {
    Item(Item),
    /// So many items are gone unread.
    Lost(u64),
}

impl Reader {
    /// The number of the last item that was read.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The next item; waits for it.
    pub(crate) async fn next(&mut self) -> Option<News> {
        loop {
            // Seen before the ring is looked at, so that what comes meanwhile wakes.
            self.news.borrow_and_update();
            if let Some(news) = self.take() {
                return Some(news);
            }
            self.news.changed().await.ok()?;
        }
    }

    fn take(&mut self) -> Option<News> {
        let ring = locked(&self.feed.ring);
        let first = ring.items.front().map_or(ring.last + 1, |it| it.number);
        if self.at + 1 < first {
            let lost = first - 1 - self.at;
            self.at = first - 1;
            return Some(News::Lost(lost));
        }
        let index = usize::try_from(self.at + 1 - first).ok()?;
        let item = ring.items.get(index)?.clone();
        self.at = item.number;
        Some(News::Item(item))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn number(reader: &mut Reader) -> u64 {
        match reader.next().await.unwrap() {
            News::Item(item) => item.number,
            News::Lost(lost) => panic!("{lost} were lost"),
        }
    }

    #[tokio::test]
    async fn a_reader_goes_on_where_it_was_and_is_told_what_is_gone() {
        let feed = Arc::new(Feed::default());
        feed.push("agent", || panic!("nobody reads"));
        let mut reader = feed.reader(None);
        for _ in 0..3 {
            feed.push("agent", || json!({}));
        }
        assert_eq!(number(&mut reader).await, 1);
        let mut again = feed.reader(Some(1));
        assert_eq!((number(&mut again).await, number(&mut again).await), (2, 3));
        let mut of_another = feed.reader(Some(99));
        assert_eq!(number(&mut of_another).await, 1);
        for _ in 0..ITEMS {
            feed.push("agent", || json!({}));
        }
        assert!(matches!(reader.next().await, Some(News::Lost(2))));
        assert_eq!(number(&mut reader).await, 4);
        feed.push("agent", || json!("x".repeat(BYTES)));
        assert_eq!(locked(&feed.ring).items.len(), 0, "too large to keep");
    }

    #[tokio::test]
    async fn a_reader_waits_for_what_comes() {
        let feed = Arc::new(Feed::default());
        let mut reader = feed.reader(None);
        let waits = tokio::spawn(async move { number(&mut reader).await });
        tokio::task::yield_now().await;
        feed.push("agent", || json!({}));
        assert_eq!(waits.await.unwrap(), 1);
    }
}
