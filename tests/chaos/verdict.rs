//! Holds what was seen against what was promised.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use crate::{
    back,
    ledger::Answer,
    scenario::{Lost, Scenario},
    subscriber::{Seen, Subscriber},
    world::World,
};

/// How many words of one kind of trouble are kept.
const WORDS: usize = 4;

/// What a scenario showed.
#[derive(Default)]
pub struct Verdict {
    pub acknowledged: usize,
    /// Acknowledged events that the subscriber who got the fewest of them got.
    pub delivered: usize,
    pub doubled: u64,
    /// Acknowledged events that some subscriber never got, or that the log has no more.
    pub lost: usize,
    /// Those of them that the log has no more.
    pub gone: usize,
    pub gaps: usize,
    /// Events that came again behind a gap, where a stream goes on from the oldest event that is left.
    pub repeated: u64,
    /// The slowest 503 during a fault.
    pub refused_in: Option<Duration>,
    /// How long after the last fault every replica, for every partition, had answered a webhook 2xx again, by itself.
    pub taken_in: Option<Duration>,
    /// How long after the last fault every subscriber had events of every partition again, by itself.
    pub heard_in: Option<Duration>,
    /// The longest silence on an open stream.
    pub silence: Duration,
    /// For how long the machine kept us waiting at most.
    pub stalled: Duration,
    /// What breaks a promise, in words.
    pub broken: Vec<String>,
}

impl Verdict {
    /// What a subscriber found wrong.
    fn wrong(&mut self, who: &str, seen: &Seen) {
        let told = seen.wrong.iter().take(WORDS);
        self.broken.extend(told.map(|what| format!("{who}: {what}")));
    }
}

pub fn judge(scenario: &Scenario, world: &World, last: &Subscriber, given_up: usize) -> Verdict {
    let acknowledged = world.ledger.acknowledged();
    let mut verdict = Verdict {
        acknowledged: acknowledged.len(),
        delivered: acknowledged.len(),
        stalled: world.stalls.longest(),
        ..Verdict::default()
    };
    let gone: HashSet<String> = last.missing(&acknowledged).into_iter().collect();
    verdict.gone = gone.len();
    verdict.lost = gone.len();
    for (number, subscriber) in world.subscribers.iter().enumerate() {
        let missing: HashSet<String> = subscriber.missing(&acknowledged).into_iter().collect();
        let undelivered: Vec<_> = missing.difference(&gone).take(WORDS).collect();
        if !undelivered.is_empty() {
            verdict.broken.push(format!(
                "subscriber {number} misses events that the log has: {undelivered:?}, of {}",
                missing.len()
            ));
        }
        verdict.delivered = verdict.delivered.min(acknowledged.len() - missing.len());
        verdict.lost = verdict.lost.max(missing.union(&gone).count());
        let seen = subscriber.seen();
        verdict.doubled += seen.doubled;
        verdict.repeated += seen.repeated;
        verdict.gaps += seen.gaps.len();
        verdict.wrong(&format!("subscriber {number}"), &seen);
        let slept = seen.silences.iter().map(|(_, silence)| *silence).max();
        verdict.silence = verdict.silence.max(slept.unwrap_or_default());
        if scenario.promise.streams_hold && subscriber.habit.hangs_up.is_none() && seen.streams != 1 {
            verdict.broken.push(format!(
                "subscriber {number} needed {} streams, although only Redis was troubled",
                seen.streams
            ));
        }
        if scenario.promise.lost == Lost::Told {
            let untold = back::untold_wipes(world, &seen).into_iter().take(WORDS);
            let untold = untold.map(|what| format!("subscriber {number} {what}"));
            verdict.broken.extend(untold);
        }
        if scenario.promise.lost == Lost::Never && !scenario.promise.rewinds && !seen.gaps.is_empty() {
            verdict.broken.push(format!(
                "subscriber {number} was told of gaps where nothing may be lost: {:?}",
                seen.gaps
            ));
        }
    }
    let all = world.subscribers.iter().chain([last]);
    let places = places(all).into_iter().take(WORDS);
    verdict.broken.extend(places);
    // Whoever reads what is left finds all of it in order, and once.
    verdict.doubled += last.seen().doubled;
    verdict.wrong("the last subscriber", &last.seen());
    if verdict.acknowledged == 0 {
        verdict
            .broken
            .push("no event was acknowledged: nothing was shown".to_owned());
    }
    if given_up > 0 {
        verdict.broken.push(format!(
            "{given_up} events were never answered 2xx, although all faults were over"
        ));
    }
    answers(scenario, world, &mut verdict);
    bounds(scenario, world, &mut verdict);
    verdict
}

/// Places at which two subscribers have different events.
fn places<'a>(subscribers: impl Iterator<Item = &'a Subscriber>) -> Vec<String> {
    let mut held = HashMap::new();
    let mut broken = Vec::new();
    for subscriber in subscribers {
        for (place, event) in &subscriber.seen().places {
            let other: &String = held.entry(place.clone()).or_insert_with(|| event.clone());
            if other != event {
                let (conversation, _, sequence) = place;
                broken.push(format!(
                    "{event} and {other} are both {sequence} of {conversation}"
                ));
            }
        }
    }
    broken
}

/// Looks at how webhooks were answered.
fn answers(scenario: &Scenario, world: &World, verdict: &mut Verdict) {
    let mut odd = Vec::new();
    for attempt in world.ledger.attempts() {
        match attempt.answer {
            Answer::Status(200..=299) => {}
            Answer::Status(503) => {
                if back::in_fault(world, attempt.sent) {
                    verdict.refused_in = verdict.refused_in.max(Some(attempt.took));
                } else if !back::near_fault(world, &scenario.promise, &attempt) {
                    odd.push("a webhook was answered 503 with no fault under way".to_owned());
                }
            }
            Answer::Status(401) if scenario.promise.stale => {}
            Answer::Status(status) => odd.push(format!("a webhook was answered {status}")),
            Answer::Silence | Answer::Broken if scenario.promise.doors_break => {}
            Answer::Silence => odd.push("a webhook was not answered in 10 s".to_owned()),
            Answer::Broken => odd.push("a webhook's connection broke".to_owned()),
        }
    }
    if !odd.is_empty() {
        let count = odd.len();
        odd.sort();
        odd.dedup();
        odd.truncate(WORDS);
        verdict.broken.push(format!("{} ({count} times)", odd.join(", ")));
    }
    if let Some(over) = world.faults.last().and_then(|fault| fault.over) {
        let attempts = world.ledger.attempts();
        verdict.taken_in = back::taken_in(&attempts, over);
        verdict.heard_in = back::heard_in(&attempts, &world.subscribers, over);
    }
}

/// Holds the figures against the promise.
fn bounds(scenario: &Scenario, world: &World, verdict: &mut Verdict) {
    let promise = &scenario.promise;
    let slack = world.stalls.slack();
    let mut broken = Vec::new();
    if promise.lost == Lost::Never && verdict.lost > 0 {
        broken.push(format!(
            "{} acknowledged events are lost, and none may be",
            verdict.lost
        ));
    }
    if verdict.doubled > 0 {
        broken.push(format!("{} events came twice", verdict.doubled));
    }
    match (promise.refused_within, verdict.refused_in) {
        (Some(_), None) => broken.push("no webhook was refused, so the fault was none".to_owned()),
        (Some(within), Some(took)) if took > within + slack => {
            broken.push(format!("a webhook was refused only after {took:.1?}"));
        }
        _ => {}
    }
    if !world.faults.is_empty() {
        for (what, took) in [("webhooks", verdict.taken_in), ("streams", verdict.heard_in)] {
            match took {
                None => broken.push(format!("{what} did not come back by themselves")),
                Some(took) if took > promise.back_within + slack => {
                    broken.push(format!("it took {took:.1?} until {what} were back"));
                }
                Some(_) => {}
            }
        }
    }
    if verdict.silence > promise.silence + slack {
        broken.push(format!("a stream was silent for {:.1?}", verdict.silence));
    }
    verdict.broken.append(&mut broken);
}
