//! The content of an upload on its way: counted, watched, and broken off where it is not what was announced.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, timeout_at};

/// The largest piece that is handed on at once, in bytes: each that is taken shows that something moves.
const PIECE: usize = 64 * 1024;

/// How far an upload has come.
#[derive(Debug)]
pub(in crate::gateway) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    /// When something moved last.
    moved: Instant,
    phase: Phase,
    /// Why nobody waits for it any more, unless it was whole by then. From there on it cannot become whole.
    given_up: Option<GivenUp>,
    /// The task that sends the content.
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Whoever sends it has what was there.
    Flowing,
    /// The content itself is late.
    Starved,
    /// All of it was handed on, and it was as announced.
    Whole,
    /// It failed or is not as announced.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivenUp {
    /// The content itself was late, for too long.
    Silent,
    /// Anything else.
    Abandoned,
}

impl Progress {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            moved: Instant::now(),
            phase: Phase::Flowing,
            given_up: None,
            waker: None,
        })))
    }

    /// Whether all was handed on as announced. As long as it was not, no server has a complete request.
    pub(in crate::gateway) fn is_whole(&self) -> bool {
        self.state().phase == Phase::Whole
    }

    /// Whether the content failed or is not as announced.
    pub(in crate::gateway) fn is_broken(&self) -> bool {
        self.state().phase == Phase::Broken
    }

    /// Whether the content itself is late.
    pub(in crate::gateway) fn is_starved(&self) -> bool {
        self.state().phase == Phase::Starved
    }

    /// Whether the content was so late that it was not waited for any longer.
    pub(in crate::gateway) fn is_silent(&self) -> bool {
        self.state().given_up == Some(GivenUp::Silent)
    }

    /// Waits for `sending`, until `by` and while something moves; `None`: time ran out, and what is not whole by then will not
    /// become so.
    pub(in crate::gateway) async fn watch<T>(
        &self,
        sending: impl Future<Output = T>,
        patience: Duration,
        by: Instant,
    ) -> Option<T> {
        self.state().moved = Instant::now();
        let mut sending = std::pin::pin!(sending);
        loop {
            let stalled = self.state().moved + patience;
            let until = stalled.min(by);
            match timeout_at(until, &mut sending).await {
                Ok(sent) => return Some(sent),
                Err(_) if until == by => {
                    self.state().give_up(GivenUp::Abandoned);
                    return None;
                }
                Err(_) => {
                    let mut state = self.state();
                    if state.moved + patience <= until {
                        let why = match state.phase {
                            Phase::Starved => GivenUp::Silent,
                            _ => GivenUp::Abandoned,
                        };
                        state.give_up(why);
                        return None;
                    }
                }
            }
        }
    }

    /// Breaks the content off when the guard is dropped, unless it is whole by then.
    pub(super) fn abandon_on_drop(self: &Arc<Self>) -> Abandon {
        Abandon(Arc::clone(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_abandoned(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state();
        state.waker = Some(cx.waker().clone());
        state.given_up.is_some()
    }

    /// Says whether it is still waited for.
    fn enter(&self, phase: Phase) -> bool {
        let mut state = self.state();
        if state.given_up.is_some() {
            return false;
        }
        if phase != Phase::Starved {
            state.moved = Instant::now();
        }
        state.phase = phase;
        true
    }
}

impl State {
    fn give_up(&mut self, why: GivenUp) {
        if self.phase != Phase::Whole && self.given_up.is_none() {
            self.given_up = Some(why);
        }
    }
}

/// Breaks the content off when it is dropped.
pub(super) struct Abandon(Arc<Progress>);

impl Drop for Abandon {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.0.state();
            state.give_up(GivenUp::Abandoned);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// What is wrong with the content.
#[derive(Debug)]
pub(super) enum Fault<E> {
    /// Its own error.
    Content(E),
    /// It has another size than was announced.
    Length { expected: u64, got: u64 },
}

fn abandoned() -> io::Error {
    io::Error::other("the upload was abandoned")
}

/// The content as the body of a request. Where it is not as announced it ends with an error, so that the request is never
/// complete; what was wrong is left in `fault`.
pub(super) struct Content<S, E> {
    source: Pin<Box<S>>,
    expected: u64,
    got: u64,
    rest: Bytes,
    is_over: bool,
    progress: Arc<Progress>,
    fault: Arc<Mutex<Option<Fault<E>>>>,
}

impl<S, E> Content<S, E>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    pub(super) fn new(
        source: S,
        expected: u64,
        progress: Arc<Progress>,
        fault: Arc<Mutex<Option<Fault<E>>>>,
    ) -> Self {
        Self {
            source: Box::pin(source),
            expected,
            got: 0,
            rest: Bytes::new(),
            is_over: false,
            progress,
            fault,
        }
    }

    fn break_off(&mut self, fault: Fault<E>) -> Option<Result<Bytes, io::Error>> {
        self.is_over = true;
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        self.progress.enter(Phase::Broken);
        Some(Err(io::Error::other("the content is not as announced")))
    }

    /// The next piece of what is here.
    fn piece(&mut self) -> Option<Result<Bytes, io::Error>> {
        self.progress.enter(Phase::Flowing);
        let size = self.rest.len().min(PIECE);
        Some(Ok(self.rest.split_to(size)))
    }

    fn end(&mut self) -> Option<Result<Bytes, io::Error>> {
        if self.got < self.expected {
            return self.wrong_length();
        }
        self.is_over = true;
        // Behind the end comes what makes the request complete.
        if self.progress.enter(Phase::Whole) {
            return None;
        }
        Some(Err(abandoned()))
    }

    fn wrong_length(&mut self) -> Option<Result<Bytes, io::Error>> {
        let (expected, got) = (self.expected, self.got);
        self.break_off(Fault::Length { expected, got })
    }
}

impl<S, E> Stream for Content<S, E>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    type Item = Result<Bytes, io::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        if this.progress.is_abandoned(cx) {
            this.is_over = true;
            return Poll::Ready(Some(Err(abandoned())));
        }
        while this.rest.is_empty() {
            match this.source.as_mut().poll_next(cx) {
                Poll::Pending => {
                    this.progress.enter(Phase::Starved);
                    return Poll::Pending;
                }
                Poll::Ready(None) => return Poll::Ready(this.end()),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(this.break_off(Fault::Content(error)));
                }
                Poll::Ready(Some(Ok(chunk))) => {
                    this.got += chunk.len() as u64;
                    if this.got > this.expected {
                        return Poll::Ready(this.wrong_length());
                    }
                    this.rest = chunk;
                }
            }
        }
        Poll::Ready(this.piece())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt, stream};
    use proptest::prelude::*;

    use super::*;

    type Chunk = Result<Bytes, &'static str>;

    fn content<S: Stream<Item = Chunk>>(
        source: S,
        expected: u64,
    ) -> (Content<S, &'static str>, Arc<Progress>) {
        let progress = Progress::new();
        let fault = Arc::new(Mutex::new(None));
        (
            Content::new(source, expected, Arc::clone(&progress), fault),
            progress,
        )
    }

    proptest! {
        /// It ends well if and only if the size is as announced; then all bytes came, in order and in pieces.
        #[test]
        fn only_what_is_as_announced_ends_well(
            sizes in prop::collection::vec(0_usize..200_000, 0..6),
            off in -3_i64..4,
        ) {
            let chunks: Vec<Chunk> = sizes
                .iter()
                .enumerate()
                .map(|(n, size)| Ok(Bytes::from(vec![n as u8; *size])))
                .collect();
            let all: Vec<u8> = chunks.iter().flatten().flatten().copied().collect();
            let expected = (all.len() as i64 + off).max(0) as u64;
            let (mut content, progress) = content(stream::iter(chunks), expected);
            let mut out = Vec::new();
            let mut failed = false;
            while let Some(item) = content.next().now_or_never().unwrap() {
                match item {
                    Ok(piece) => {
                        prop_assert!(!piece.is_empty() && piece.len() <= PIECE);
                        out.extend_from_slice(&piece);
                    }
                    Err(_) => failed = true,
                }
            }
            let is_as_announced = expected == all.len() as u64;
            prop_assert_eq!(failed, !is_as_announced);
            prop_assert_eq!(progress.is_whole(), is_as_announced);
            prop_assert_eq!(progress.is_broken(), !is_as_announced);
            prop_assert!(out.len() as u64 <= expected);
            prop_assert!(all.starts_with(&out));
            let fault = content.fault.lock().unwrap().take();
            prop_assert_eq!(fault.is_some(), failed);
        }
    }

    #[tokio::test]
    async fn an_abandoned_upload_wakes_and_fails() {
        let (mut content, progress) = content(stream::pending(), 5);
        let abandon = progress.abandon_on_drop();
        let reading = tokio::spawn(async move { content.next().await });
        while !progress.is_starved() {
            tokio::task::yield_now().await;
        }
        drop(abandon);
        assert!(reading.await.unwrap().unwrap().is_err());
        assert!(!progress.is_whole());
    }

    /// Moves `times` times, every 20 ms, then no more.
    async fn moving(progress: &Progress, times: u32) {
        for _ in 0..times {
            tokio::time::sleep(Duration::from_millis(20)).await;
            progress.enter(Phase::Flowing);
        }
        std::future::pending().await
    }

    #[tokio::test]
    async fn what_moves_may_go_on_and_what_stalls_may_not() {
        let progress = Progress::new();
        let started = Instant::now();
        let by = started + Duration::from_secs(600);
        let patience = Duration::from_millis(500);
        let ended = progress.watch(moving(&progress, 50), patience, by).await;
        assert_eq!(ended, None);
        // A second of movement, and then the patience.
        assert!(
            started.elapsed() >= Duration::from_millis(1500),
            "{:?}",
            started.elapsed()
        );
    }

    #[tokio::test]
    async fn what_moves_has_an_end_all_the_same() {
        let progress = Progress::new();
        let started = Instant::now();
        let by = started + Duration::from_millis(300);
        let ended = progress
            .watch(moving(&progress, u32::MAX), Duration::from_secs(60), by)
            .await;
        assert_eq!(ended, None);
        assert!(started.elapsed() >= Duration::from_millis(300));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn what_was_given_up_never_becomes_whole() {
        let progress = Progress::new();
        let fault = Arc::new(Mutex::new(None::<Fault<()>>));
        let (send, receive) = tokio::sync::oneshot::channel::<()>();
        // Its one piece comes, and its end only once nobody waits any more.
        let end = stream::once(receive).filter_map(|_| async { None });
        let source = stream::iter([Ok(Bytes::from_static(b"a"))]).chain(end);
        let mut content = Content::new(source, 1, Arc::clone(&progress), fault);
        assert_eq!(content.next().await.unwrap().unwrap(), "a");
        assert!(futures_util::poll!(content.next()).is_pending());
        assert!(progress.is_starved());
        let waited = progress.watch(
            std::future::pending::<()>(),
            Duration::from_millis(20),
            Instant::now() + Duration::from_secs(10),
        );
        assert!(waited.await.is_none() && progress.is_silent());
        send.send(()).unwrap();
        assert!(content.next().await.unwrap().is_err());
        assert!(!progress.is_whole());
    }
}
