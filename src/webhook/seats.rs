//! Places for connections at the webhook door, and who gives way when there are no more.
//!
//! A sender that is quick is done within milliseconds, so whoever has kept the door waiting the longest is one that is slow,
//! or idle. When all places are taken, or all memory for bodies, one of those is cut off, and not the next who comes: of the
//! address that has the most connections, so that nobody drives others out by coming again and again. A request whose body is
//! there waits for its sender no more, and is never cut off.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{Refusal, ingress::WEBHOOKS};
use crate::grpc::gate::counted;

/// What the door has room for, and how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatLimits {
    /// Connections at once; 0: any number.
    pub connections: usize,
    /// Bytes of bodies that are held at once, in all.
    pub buffered_bytes: usize,
    /// How long a request's head may take, a TLS handshake before it included.
    pub head: Duration,
    /// How long a connection may be silent after a request.
    pub idle: Duration,
}

impl Default for SeatLimits {
    /// 2000 connections, 64 MiB, 10 s and 60 s.
    fn default() -> Self {
        Self {
            connections: 2000,
            buffered_bytes: 64 << 20,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
        }
    }
}

/// The places of a door.
#[derive(Debug)]
pub struct Seats {
    limits: SeatLimits,
    room: Mutex<Room>,
}

#[derive(Debug, Default)]
struct Room {
    /// The counter of requests that gave way.
    counter: &'static str,
    /// Of all seats together.
    bytes: usize,
    taken: HashMap<u64, Chair>,
    /// How many of them each address has.
    by_source: HashMap<IpAddr, usize>,
    /// Who keeps us waiting, by the ticket that was drawn when it began to: the longest first.
    waiting: BTreeMap<u64, u64>,
    tickets: u64,
}

/// What is known of a seat.
#[derive(Debug)]
struct Chair {
    source: Option<IpAddr>,
    phase: Phase,
    since: Instant,
    ticket: u64,
    bytes: usize,
    cut: CancellationToken,
}

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has come since the last request.
    Idle,
    /// Its next request has begun, or is its first and should have.
    Head,
    /// A request's body is read.
    Body,
    /// A request is verified and stored, or answered.
    Work,
}

/// Why a connection has been waited for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// It was silent.
    Idle,
    /// The head of its request did not come in time.
    Head,
}

/// A connection's place. It is free again when this is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    id: u64,
    cut: CancellationToken,
    /// Whether the next byte begins a request, so that not each one has to look.
    is_idle: AtomicBool,
}

impl Seats {
    /// Places that nobody has taken.
    pub fn new(limits: SeatLimits) -> Arc<Self> {
        Self::counted_by(WEBHOOKS, limits)
    }

    /// The same at another door, whose requests that give way are counted by `counter`.
    pub fn counted_by(counter: &'static str, limits: SeatLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            room: Mutex::new(Room {
                counter,
                ..Room::default()
            }),
        })
    }

    /// A place for a connection from this address; `None` where there is no place and nobody can give way. One whose address
    /// says nothing, as a proxy's, has none.
    pub fn take(self: &Arc<Self>, source: Option<IpAddr>) -> Option<Seat> {
        let source = source.map(counted);
        let mut room = self.room();
        let max = self.limits.connections;
        if max > 0 && room.taken.len() >= max && !room.give_way(|_| true) {
            return None;
        }
        let ticket = room.draw();
        let cut = CancellationToken::new();
        let chair = Chair {
            source,
            phase: Phase::Head,
            since: Instant::now(),
            ticket,
            bytes: 0,
            cut: cut.clone(),
        };
        // A seat keeps the first ticket that was drawn for it as its name.
        room.taken.insert(ticket, chair);
        if let Some(source) = source {
            *room.by_source.entry(source).or_default() += 1;
        }
        room.waiting.insert(ticket, ticket);
        Some(Seat {
            seats: Arc::clone(self),
            id: ticket,
            cut,
            is_idle: AtomicBool::new(false),
        })
    }

    /// Cuts off whoever has kept us waiting the longest, as where the process can open no more connections.
    pub fn make_room(&self) -> bool {
        self.room().give_way(|_| true)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // Nothing that holds the lock leaves the room half changed.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn draw(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Cuts off one of those who wait that are such: of the address with the most connections, the one that has waited the
    /// longest.
    fn give_way(&mut self, such: impl Fn(&Chair) -> bool) -> bool {
        let chairs = self
            .waiting
            .values()
            .filter_map(|id| self.taken.get_key_value(id));
        let many = |chair: &Chair| {
            chair
                .source
                .and_then(|source| self.by_source.get(&source))
                .copied()
        };
        // Of several that are the least, the first is taken.
        let chosen = chairs
            .filter(|(_, chair)| such(chair))
            .min_by_key(|(_, chair)| std::cmp::Reverse(many(chair).unwrap_or(0)));
        let Some((&id, _)) = chosen else {
            return false;
        };
        if let Some(chair) = self.remove(id) {
            if chair.phase != Phase::Idle {
                metrics::counter!(self.counter, "result" => Refusal::Crowded.reason()).increment(1);
            }
            chair.cut.cancel();
        }
        true
    }

    fn remove(&mut self, id: u64) -> Option<Chair> {
        let chair = self.taken.remove(&id)?;
        self.waiting.remove(&chair.ticket);
        self.bytes -= chair.bytes;
        if let Some(source) = chair.source
            && let Some(count) = self.by_source.get_mut(&source)
        {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&source);
            }
        }
        Some(chair)
    }
}

impl Seat {
    /// Something came from the sender.
    pub fn heard(&self) {
        if self.is_idle.swap(false, Ordering::Relaxed) {
            self.wait(Some(Phase::Idle), Phase::Head);
        }
    }

    /// A request's head is there, and its body is read.
    pub fn begin(&self) {
        self.is_idle.store(false, Ordering::Relaxed);
        self.wait(None, Phase::Body);
    }

    /// Holds more bytes of a body, until the request is answered. Where there is no room, others who keep us waiting longer give
    /// way; if there is none, this one is refused.
    pub fn hold(&self, bytes: usize) -> Result<(), Refusal> {
        let max = self.seats.limits.buffered_bytes;
        let mut room = self.seats.room();
        while room.bytes + bytes > max {
            let own = room.taken.get(&self.id).map_or(0, |chair| chair.ticket);
            if !room.give_way(|other| other.bytes > 0 && other.ticket < own) {
                return Err(Refusal::Crowded);
            }
        }
        let Some(chair) = room.taken.get_mut(&self.id) else {
            return Err(Refusal::Crowded);
        };
        chair.bytes += bytes;
        room.bytes += bytes;
        Ok(())
    }

    /// The body is there: the sender is waited for no more.
    pub fn work(&self) {
        let mut room = self.seats.room();
        if let Some(chair) = room.taken.get_mut(&self.id) {
            chair.phase = Phase::Work;
            let ticket = chair.ticket;
            room.waiting.remove(&ticket);
        }
    }

    /// A request is answered. Says whether its body was read to the end: if not, what is left of it is in the way of another
    /// request.
    pub fn done(&self) -> bool {
        let mut room = self.seats.room();
        let mut was_read = false;
        if let Some(chair) = room.taken.get_mut(&self.id) {
            was_read = chair.phase == Phase::Work;
            let bytes = std::mem::take(&mut chair.bytes);
            room.bytes -= bytes;
        }
        drop(room);
        self.wait(None, Phase::Idle);
        self.is_idle.store(true, Ordering::Relaxed);
        was_read
    }

    /// Waits until it is cut off to make room for others.
    pub async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Waits until the connection has been waited for too long.
    pub async fn overdue(&self) -> Overdue {
        // A phase that begins meanwhile may end earlier than the one that was looked at.
        let look_again = self.seats.limits.head / 4;
        loop {
            let now = Instant::now();
            let next = match self.deadline() {
                Some((overdue, at)) if at <= now => return overdue,
                Some((_, at)) => at.min(now + look_again),
                None => now + look_again,
            };
            tokio::time::sleep_until(next.into()).await;
        }
    }

    fn deadline(&self) -> Option<(Overdue, Instant)> {
        let SeatLimits { head, idle, .. } = self.seats.limits;
        let room = self.seats.room();
        let chair = room.taken.get(&self.id)?;
        match chair.phase {
            Phase::Idle => Some((Overdue::Idle, chair.since + idle)),
            Phase::Head => Some((Overdue::Head, chair.since + head)),
            // Whoever reads the body has a limit of its own.
            Phase::Body | Phase::Work => None,
        }
    }

    /// Begins to wait anew, for something else.
    fn wait(&self, from: Option<Phase>, to: Phase) {
        let mut room = self.seats.room();
        let ticket = room.draw();
        let Some(chair) = room.taken.get_mut(&self.id) else {
            return;
        };
        if from.is_some_and(|from| chair.phase != from) {
            return;
        }
        let before = std::mem::replace(&mut chair.ticket, ticket);
        (chair.phase, chair.since) = (to, Instant::now());
        room.waiting.remove(&before);
        room.waiting.insert(ticket, self.id);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.room().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(connections: usize, buffered_bytes: usize) -> Arc<Seats> {
        Seats::new(SeatLimits {
            connections,
            buffered_bytes,
            ..SeatLimits::default()
        })
    }

    fn is_cut(seat: &Seat) -> bool {
        seat.cut.is_cancelled()
    }

    #[test]
    fn whoever_kept_us_waiting_the_longest_gives_way() {
        let seats = seats(3, 100);
        let [slow, quick, idle] = [(); 3].map(|()| seats.take(None).unwrap());
        quick.begin();
        quick.work();
        quick.done();
        idle.begin();
        idle.done();
        // The slow one has said nothing since it came; the others were answered after that, the quick one first.
        let _first = seats.take(None).unwrap();
        assert_eq!([&slow, &quick, &idle].map(is_cut), [true, false, false]);
        let _second = seats.take(None).unwrap();
        assert_eq!([&quick, &idle].map(is_cut), [true, false]);
        drop((slow, quick));
        assert_eq!(
            seats.room().taken.len(),
            3,
            "who was cut off has no place to give back"
        );
    }

    #[test]
    fn whoever_waits_for_us_does_not_give_way() {
        let seats = seats(2, 100);
        let [one, two] = [(); 2].map(|()| seats.take(None).unwrap());
        one.begin();
        one.work();
        two.begin();
        two.work();
        assert!(seats.take(None).is_none());
        assert!(!seats.make_room());
        two.done();
        assert!(seats.take(None).is_some());
        assert!(is_cut(&two) && !is_cut(&one));
    }

    #[test]
    fn memory_is_taken_from_the_slow_and_never_exceeded() {
        let seats = seats(0, 100);
        let [slow, working, good] = [(); 3].map(|()| seats.take(None).unwrap());
        for seat in [&slow, &working, &good] {
            seat.begin();
        }
        slow.hold(40).unwrap();
        working.hold(50).unwrap();
        working.work();
        good.hold(30).unwrap();
        assert!(is_cut(&slow) && !is_cut(&working));
        assert_eq!(seats.room().bytes, 80);
        // Nobody is left who is slower.
        assert_eq!(good.hold(30), Err(Refusal::Crowded));
        let newer = seats.take(None).unwrap();
        newer.begin();
        assert_eq!(newer.hold(101), Err(Refusal::Crowded));
        assert!(is_cut(&good), "it was slower than the one that asked");
        working.done();
        assert_eq!(seats.room().bytes, 0);
        drop((slow, working, good, newer));
        assert!(seats.room().taken.is_empty() && seats.room().waiting.is_empty());
    }

    #[test]
    fn whoever_comes_again_and_again_drives_out_only_itself() {
        let seats = seats(10, 100);
        let address = |last| Some(IpAddr::from([192, 0, 2, last]));
        let good: Vec<_> = (1..4).map(|last| seats.take(address(last)).unwrap()).collect();
        let mut flood: Vec<_> = (0..1000).map(|_| seats.take(address(9)).unwrap()).collect();
        assert!(good.iter().all(|seat| !is_cut(seat)));
        assert_eq!(flood.iter().filter(|seat| !is_cut(seat)).count(), 7);
        flood.retain(|seat| !is_cut(seat));
        drop(good);
        assert_eq!(seats.room().by_source.len(), 1);
        drop(flood);
        assert!(seats.room().by_source.is_empty());
    }

    #[test]
    fn one_that_asks_for_more_than_there_is_is_refused() {
        let seats = seats(0, 100);
        let only = seats.take(None).unwrap();
        only.begin();
        assert_eq!(only.hold(101), Err(Refusal::Crowded));
        only.hold(100).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_waited_for_less_long_than_a_silence() {
        let seats = seats(0, 100);
        let seat = seats.take(None).unwrap();
        assert_eq!(seat.deadline().map(|(why, _)| why), Some(Overdue::Head));
        seat.begin();
        assert_eq!(seat.deadline(), None);
        seat.done();
        let (why, silent_until) = seat.deadline().unwrap();
        assert_eq!(why, Overdue::Idle);
        seat.heard();
        let (why, head_until) = seat.deadline().unwrap();
        assert_eq!(why, Overdue::Head);
        assert!(head_until < silent_until);
    }
}
