//! What came of it.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use crate::{
    cast::Kind,
    ledger::Ledger,
    log::Order,
    machine::Stalls,
    memory::Sample,
    order::{Account, account},
    receivers::Receivers,
    waits::Waits,
};

/// Which share of the load that was asked for must have been taken.
const LOAD_SHARE: f64 = 0.9;
/// How long events of good receivers may wait, 99 of 100 of them, while no replica is missing.
const GOOD_P99: Duration = Duration::from_secs(5);
/// What is not counted at the start: connections, keys and channels that are not known yet.
const WARM_UP: Duration = Duration::from_secs(5);
/// What is counted as the time of a replica's end, before and after it.
const BEFORE_END: Duration = Duration::from_secs(5);
const AFTER_END: Duration = Duration::from_secs(30);
/// How much more memory a replica may take than one did at most in the first third.
const GROWTH_KIB: u64 = 64 * 1024;
/// How many events of a webhook are sent at once at most.
const AT_ONCE: usize = 8;
/// Of which times it is told how long good receivers waited, in seconds.
const SLICE_S: u64 = 5;

/// When it happened.
pub struct Times {
    pub begun: Instant,
    pub troubled: Instant,
    pub killed: Instant,
    /// The last replica has taken another's place.
    pub restarted: Instant,
    /// There were no more events.
    pub ended: Instant,
}

impl Times {
    /// From now on.
    pub fn begin() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            troubled: now,
            killed: now,
            restarted: now,
            ended: now,
        }
    }

    fn phase(&self, at: Instant) -> Phase {
        let killed = self.killed.checked_sub(BEFORE_END).unwrap_or(self.killed);
        match at {
            _ if at < self.begun + WARM_UP => Phase::WarmUp,
            _ if at < self.troubled => Phase::Healthy,
            _ if at < killed => Phase::Troubled,
            _ if at < self.restarted + AFTER_END => Phase::Ends,
            _ => Phase::Calm,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    WarmUp,
    Healthy,
    Troubled,
    Ends,
    Calm,
}

impl Phase {
    fn about(self) -> &'static str {
        match self {
            Self::WarmUp => "at the start",
            Self::Healthy => "while all were well",
            Self::Troubled => "beside dead, slow and failing ones",
            Self::Ends => "around the ends of replicas",
            Self::Calm => "after that",
        }
    }
}

/// What is held against the promise.
pub struct Facts<'a> {
    pub receivers: &'a Receivers,
    /// The conversations of each receiver.
    pub own: &'a [Vec<String>],
    pub log: &'a Order,
    pub ledger: &'a Ledger,
    pub times: &'a Times,
    pub memory: Vec<Sample>,
    pub stalls: &'a Stalls,
    /// Events a second that were asked for.
    pub asked: f64,
    /// Events that were never answered 2xx.
    pub given_up: usize,
    /// How long after the load all that are not dead had everything.
    pub living: Option<Duration>,
    /// How long after they were good again the dead ones had everything.
    pub dead: Option<Duration>,
    /// What waited before the dead ones were good again, and at the end.
    pub waiting: f64,
    pub left: f64,
    pub dead_letters: f64,
}

/// What came of it, in words.
#[derive(Default)]
pub struct Verdict {
    pub lines: Vec<String>,
    /// What breaks a promise.
    pub broken: Vec<String>,
}

impl Facts<'_> {
    /// Judges; `broken` is what is broken already.
    pub fn judge(&self, broken: Vec<String>) -> Verdict {
        let mut verdict = Verdict {
            broken,
            ..Verdict::default()
        };
        self.judge_load(&mut verdict);
        self.judge_receivers(&mut verdict);
        self.judge_waits(&mut verdict);
        self.judge_outboxes(&mut verdict);
        judge_memory(&self.memory, self.times, &mut verdict);
        let stalled = self.stalls.longest().as_secs_f64();
        verdict.lines.push(format!(
            "the machine kept the run itself waiting for {stalled:.2} s at most"
        ));
        verdict
    }

    fn judge_load(&self, verdict: &mut Verdict) {
        let (acknowledged, attempts) = (self.ledger.acknowledged(), self.ledger.attempts());
        let seconds = self.times.ended.duration_since(self.times.begun).as_secs_f64();
        let rate = acknowledged.len() as f64 / seconds;
        let refused = attempts
            .iter()
            .filter(|attempt| !attempt.answer.is_success())
            .count();
        verdict.lines.push(format!(
            "{} events acknowledged in {seconds:.0} s, {rate:.0} a second; {} deliveries by the vendor, {refused} of them had to be \
             repeated",
            acknowledged.len(),
            attempts.len()
        ));
        if rate < self.asked * LOAD_SHARE {
            verdict.broken.push(format!(
                "{rate:.0} events a second were taken, and {:.0} were meant to be: the machine is too busy, and the run shows nothing of \
                 that load",
                self.asked
            ));
        }
        if self.given_up > 0 {
            verdict
                .broken
                .push(format!("{} events were never answered 2xx", self.given_up));
        }
        let logged: usize = self.log.values().map(Vec::len).sum();
        if logged != acknowledged.len() {
            verdict.broken.push(format!(
                "{logged} events are in the log, and {} were acknowledged",
                acknowledged.len()
            ));
        }
    }

    fn judge_receivers(&self, verdict: &mut Verdict) {
        let mut by_kind: BTreeMap<String, (usize, Account)> = BTreeMap::new();
        for (number, receiver) in self.receivers.all.iter().enumerate() {
            let book = receiver.book();
            let sees_all = !receiver.kind.is_dead();
            let account = account(&book.arrivals, &self.own[number], self.log, sees_all);
            let wrong = book.wrong.iter().chain(&account.wrong);
            verdict
                .broken
                .extend(wrong.map(|what| format!("receiver {number} ({}): {what}", receiver.kind)));
            if book.most_at_once > AT_ONCE {
                verdict.broken.push(format!(
                    "receiver {number} ({}) was sent {} events at once",
                    receiver.kind, book.most_at_once
                ));
            }
            let (count, total) = by_kind.entry(receiver.kind.to_string()).or_default();
            *count += 1;
            total.taken += account.taken;
            total.missing += account.missing;
            total.again += account.again;
            total.retries = total.retries.max(account.retries);
        }
        for (kind, (count, total)) in &by_kind {
            verdict.lines.push(format!(
                "{count} {kind}: {} events taken, {} missed, {} came again; x-8x8-retry up to {}",
                total.taken, total.missing, total.again, total.retries
            ));
            if kind == "failing" && total.retries == 0 {
                verdict
                    .broken
                    .push("no failing receiver was told of a retry, so nothing was shown".to_owned());
            }
        }
        let took = |took: Option<Duration>| {
            took.map_or("did not come about".to_owned(), |took| {
                format!("{:.0} s", took.as_secs_f64())
            })
        };
        verdict.lines.push(format!(
            "after the last event, until all but the dead had everything: {}; from the dead being good again until they had: {}",
            took(self.living),
            took(self.dead)
        ));
    }

    fn judge_waits(&self, verdict: &mut Verdict) {
        self.tell_course(verdict);
        let by_phase = |since| self.times.phase(since);
        let good = self.waits(|kind| kind == Kind::Good, by_phase);
        let bound = GOOD_P99 + self.stalls.slack();
        let healthy = good.get(&Phase::Healthy);
        for (phase, waits) in &good {
            let ratio = match healthy {
                Some(healthy) if *phase > Phase::Healthy => {
                    let times =
                        |of| waits.percentile(of).as_secs_f64() / healthy.percentile(of).as_secs_f64();
                    format!(
                        "; p50 {:.2} and p99 {:.2} times those while all were well",
                        times(50),
                        times(99)
                    )
                }
                _ => String::new(),
            };
            verdict
                .lines
                .push(format!("good ones waited {}: {waits}{ratio}", phase.about()));
            let is_bound = matches!(phase, Phase::Healthy | Phase::Troubled | Phase::Calm);
            if is_bound && waits.percentile(99) > bound {
                verdict.broken.push(format!(
                    "good receivers waited {}: {waits}, and may wait {bound:.1?} (p99)",
                    phase.about()
                ));
            }
        }
        for phase in [Phase::Healthy, Phase::Troubled] {
            if good.get(&phase).is_none_or(Waits::is_empty) {
                verdict
                    .broken
                    .push(format!("nothing was measured {}", phase.about()));
            }
        }
        for kind in ["slow", "failing"] {
            for (phase, waits) in self.waits(|other| other.to_string() == kind, by_phase) {
                verdict
                    .lines
                    .push(format!("{kind} ones waited {}: {waits}", phase.about()));
            }
        }
    }

    /// Tells how long good receivers waited in the course of time.
    fn tell_course(&self, verdict: &mut Verdict) {
        let slice = |since: Instant| since.saturating_duration_since(self.times.begun).as_secs() / SLICE_S;
        let good = self.waits(|kind| kind == Kind::Good, slice);
        let told = good.iter().map(|(slice, waits)| {
            let ms = |of| waits.percentile(of).as_secs_f64() * 1000.0;
            format!("{}: {:.0}/{:.0}", slice * SLICE_S, ms(50), ms(99))
        });
        let told: Vec<String> = told.collect();
        verdict.lines.push(format!(
            "good ones, by the second from which on events were acknowledged, p50/p99 in ms: {}",
            told.join(", ")
        ));
    }

    /// How long events waited from their acknowledgement until they came, by when they were acknowledged.
    fn waits<K: Ord>(
        &self,
        is_meant: impl Fn(Kind) -> bool,
        key: impl Fn(Instant) -> K,
    ) -> BTreeMap<K, Waits> {
        let mut acknowledged: HashMap<u64, Instant> = HashMap::new();
        for attempt in self.ledger.attempts() {
            if attempt.answer.is_success() {
                let at = attempt.sent + attempt.took;
                let first = acknowledged.entry(attempt.event).or_insert(at);
                *first = at.min(*first);
            }
        }
        let mut by_key: BTreeMap<K, Vec<Duration>> = BTreeMap::new();
        let meant = self
            .receivers
            .all
            .iter()
            .filter(|receiver| is_meant(receiver.kind));
        for receiver in meant {
            for arrival in &receiver.book().arrivals {
                // Of each event the first that was taken counts.
                if arrival.taken
                    && let Some(since) = acknowledged.remove(&arrival.event)
                {
                    let waited = arrival.at.saturating_duration_since(since);
                    by_key.entry(key(since)).or_default().push(waited);
                }
            }
        }
        by_key
            .into_iter()
            .map(|(key, waited)| (key, waited.into_iter().collect()))
            .collect()
    }

    fn judge_outboxes(&self, verdict: &mut Verdict) {
        let held = self.receivers.held.load(std::sync::atomic::Ordering::Relaxed);
        verdict.lines.push(format!(
            "{:.0} events waited for the dead, who let {held} deliveries hang; {:.0} were left at the end; {:.0} dead letters",
            self.waiting, self.left, self.dead_letters
        ));
        if self.left > 0.0 || self.dead_letters > 0.0 {
            verdict.broken.push(format!(
                "{:.0} events were left in outboxes and {:.0} are dead letters, although all receivers were good in the end",
                self.left, self.dead_letters
            ));
        }
        let has_dead = self.receivers.all.iter().any(|receiver| receiver.kind.is_dead());
        if has_dead && self.waiting <= 0.0 {
            verdict
                .broken
                .push("no event waited for the dead, so nothing was shown of them".to_owned());
        }
    }
}

fn judge_memory(samples: &[Sample], times: &Times, verdict: &mut Verdict) {
    let third = times.begun + times.ended.duration_since(times.begun) / 3;
    let early = samples
        .iter()
        .filter(|sample| sample.at >= times.begun && sample.at < third);
    let Some(least) = early.map(|sample| sample.resident_kib).max() else {
        verdict
            .broken
            .push("no memory was measured in the first third".to_owned());
        return;
    };
    let mut by_process: BTreeMap<&str, (u64, &Sample)> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.at >= times.begun) {
        let (most, last) = by_process.entry(&sample.process).or_insert((0, sample));
        *most = sample.resident_kib.max(*most);
        *last = sample;
    }
    let mib = |kib: u64| kib / 1024;
    for (process, (most, last)) in by_process {
        verdict.lines.push(format!(
            "{process} took {} MiB at most, {} at its end; the most that it ever had is {}",
            mib(most),
            mib(last.resident_kib),
            mib(last.peak_kib)
        ));
        if most > least + GROWTH_KIB {
            verdict.broken.push(format!(
                "{process} took {} MiB, and in the first third no replica took more than {}: at most {} more is bounded",
                mib(most),
                mib(least),
                mib(GROWTH_KIB)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_grows_breaks_the_promise() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut times = Times::begin();
        (times.begun, times.ended) = (begun, at(90));
        let sample = |seconds, mib: u64| Sample {
            process: "replica-1".to_owned(),
            at: at(seconds),
            resident_kib: mib * 1024,
            peak_kib: mib * 1024,
        };
        for (last, breaks) in [(90, false), (120, true)] {
            let mut verdict = Verdict::default();
            judge_memory(&[sample(10, 40), sample(80, last)], &times, &mut verdict);
            assert_eq!(!verdict.broken.is_empty(), breaks, "{:?}", verdict.broken);
        }
    }
}
