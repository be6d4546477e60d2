//! What is told by times: whether a fault was under way, how soon all was back, and which wipe was told to whom.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use chatbridge::grpc::proto::GapReason;

use crate::{
    ledger::Attempt,
    scenario::Promise,
    subscriber::{Seen, Subscriber, partition_of},
    vendor::{PARTITIONS, conversation},
    world::World,
};

/// Whether a fault was under way.
pub fn in_fault(world: &World, at: Instant) -> bool {
    let mut faults = world.faults.iter();
    faults.any(|fault| at >= fault.begun && fault.over.is_none_or(|over| at <= over))
}

/// Whether a delivery was under way while a fault was, or while all that it had troubled might still be coming back.
pub fn near_fault(world: &World, promise: &Promise, attempt: &Attempt) -> bool {
    let patience = promise.back_within + world.stalls.slack();
    let mut faults = world.faults.iter();
    faults.any(|fault| {
        let over = fault.over.is_none_or(|over| attempt.sent <= over + patience);
        attempt.sent + attempt.took >= fault.begun && over
    })
}

/// How long after a fault every replica that webhooks went to, and every partition that they were for, had taken one:
/// who comes last says when all is back.
pub fn taken_in(attempts: &[Attempt], over: Instant) -> Option<Duration> {
    let doors = all_back(attempts, over, |attempt| attempt.door)?;
    let partitions = all_back(attempts, over, partition_for)?;
    Some(doors.max(partitions))
}

fn partition_for(attempt: &Attempt) -> usize {
    partition_of(&conversation(attempt.conversation)).into()
}

/// How long until the last of those to whom something was sent after the fault had answered 2xx.
fn all_back(attempts: &[Attempt], over: Instant, who: impl Fn(&Attempt) -> usize) -> Option<Duration> {
    let asked: BTreeSet<usize> = attempts.iter().filter(|a| a.sent >= over).map(&who).collect();
    let mut first = BTreeMap::<usize, Duration>::new();
    for attempt in attempts.iter().filter(|attempt| attempt.answer.is_success()) {
        if let Some(took) = (attempt.sent + attempt.took).checked_duration_since(over) {
            let first = first.entry(who(attempt)).or_insert(took);
            *first = took.min(*first);
        }
    }
    let waited = asked.iter().map(|who| first.get(who).copied());
    waited.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// How long after a fault every subscriber had an event of every partition of its own that had a new one.
pub fn heard_in(attempts: &[Attempt], subscribers: &[Subscriber], over: Instant) -> Option<Duration> {
    let taken = |attempt: &&Attempt| attempt.first && attempt.sent >= over && attempt.answer.is_success();
    let new: BTreeSet<usize> = attempts.iter().filter(taken).map(|a| a.conversation).collect();
    let mut last = Duration::ZERO;
    for subscriber in subscribers {
        let mut first = BTreeMap::<u16, Duration>::new();
        for (at, partition) in subscriber.seen().events.values() {
            if let Some(took) = at.checked_duration_since(over) {
                let first = first.entry(*partition).or_insert(took);
                *first = took.min(*first);
            }
        }
        let wanted = &subscriber.habit.conversations;
        let own = new.iter().map(|number| conversation(*number));
        for conversation in own.filter(|own| wanted.is_empty() || wanted.contains(own)) {
            last = last.max(*first.get(&partition_of(&conversation))?);
        }
    }
    (!new.is_empty()).then_some(last)
}

/// Where a wipe, of which each fault was one, was not told: of each partition of which something had been seen since the wipe
/// before, a gap must come before anything else of it does.
pub fn untold_wipes(world: &World, seen: &Seen) -> Vec<String> {
    let faults = &world.faults;
    (0..PARTITIONS)
        .filter_map(|p| {
            let saw = |from: Option<Instant>, to: Instant| {
                let mut events = seen.events.values();
                events.any(|(at, of)| *of == p && from.is_none_or(|from| *at >= from) && *at < to)
            };
            let told = |from: Instant, to: Option<Instant>| {
                let mut gaps = seen.gaps.iter().filter(|gap| gap.reason == GapReason::Wiped);
                gaps.any(|gap| {
                    gap.partitions.contains(&p) && gap.at >= from && to.is_none_or(|to| gap.at < to)
                })
            };
            // Since when a wipe is to be told. One gap tells of two wipes where nothing was seen between them.
            let mut owed: Option<(usize, Instant)> = None;
            let mut from = None;
            for (number, fault) in faults.iter().enumerate() {
                let known = saw(from, fault.begun);
                owed = owed.filter(|(_, since)| !told(*since, Some(fault.begun)));
                if let Some((wipe, _)) = owed.filter(|_| known) {
                    return Some(format!(
                        "was not told that partition {p} was wiped by fault {wipe}"
                    ));
                }
                if known {
                    owed = Some((number, fault.begun));
                }
                from = fault.over;
            }
            let (wipe, _) = owed.filter(|(_, since)| !told(*since, None))?;
            Some(format!(
                "was not told that partition {p} was wiped by fault {wipe}"
            ))
        })
        .collect()
}
