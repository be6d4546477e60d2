//! What a receiver got, held against the log.

use std::collections::{HashMap, HashSet};

use crate::receiver::Arrival;

/// What became of a receiver's events.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Events that were answered 2xx.
    pub taken: usize,
    /// Events of its conversations that never were.
    pub missing: usize,
    /// Arrivals of events that had been answered 2xx before.
    pub again: usize,
    /// The highest `x-8x8-retry`.
    pub retries: u32,
    /// What breaks the promise, in words.
    pub wrong: Vec<String>,
}

/// Holds what came against the order of the log. `own`: the conversations of this receiver; `sees_all`: every try reached it, so that
/// none can be counted that it does not know of.
pub fn account(
    arrivals: &[Arrival],
    own: &[String],
    log: &HashMap<String, Vec<u64>>,
    sees_all: bool,
) -> Account {
    let mut account = Account::default();
    let mut by_conversation: HashMap<&str, Vec<&Arrival>> = HashMap::new();
    for arrival in arrivals {
        let of_it = by_conversation.entry(&arrival.conversation).or_default();
        of_it.push(arrival);
    }
    for conversation in own {
        let came = by_conversation.remove(conversation.as_str()).unwrap_or_default();
        let expected = log.get(conversation).map_or([].as_slice(), Vec::as_slice);
        in_order(&mut account, conversation, expected, &came);
    }
    for (conversation, came) in by_conversation {
        let events = came.len();
        account.wrong.push(format!(
            "{events} events came of {conversation}, which is another's"
        ));
    }
    repeats(&mut account, arrivals, sees_all);
    account
}

fn in_order(account: &mut Account, conversation: &str, expected: &[u64], came: &[&Arrival]) {
    let taken = firsts(came.iter().filter(|arrival| arrival.taken));
    let arrived = firsts(came);
    account.taken += taken.len();
    account.again += came.iter().filter(|arrival| arrival.taken).count() - taken.len();
    let known: HashSet<u64> = taken.iter().copied().collect();
    let missing = expected.iter().filter(|event| !known.contains(event)).count();
    account.missing += missing;
    if missing > 0 {
        let count = expected.len();
        account
            .wrong
            .push(format!("it misses {missing} of {count} events of {conversation}"));
    }
    for (events, how) in [(&taken, "were taken"), (&arrived, "came")] {
        if let Some((event, after)) = disorder(expected, events) {
            account.wrong.push(format!(
                "events of {conversation} {how} in another order than the log's: {event} after {after}"
            ));
        }
    }
}

/// Events without their repeats.
fn firsts<'a>(arrivals: impl IntoIterator<Item = &'a &'a Arrival>) -> Vec<u64> {
    let mut seen = HashSet::new();
    let events = arrivals.into_iter().map(|arrival| arrival.event);
    events.filter(|event| seen.insert(*event)).collect()
}

/// The first event that came behind one that it belongs before, or that the log does not have. What is missing is another matter.
fn disorder(expected: &[u64], events: &[u64]) -> Option<(u64, u64)> {
    let places: HashMap<u64, usize> = expected
        .iter()
        .enumerate()
        .map(|(at, event)| (*event, at))
        .collect();
    let mut last: Option<(usize, u64)> = None;
    for event in events {
        let place = places.get(event).copied();
        match (place, last) {
            (Some(place), Some((before, _))) if place > before => last = Some((place, *event)),
            (Some(place), None) => last = Some((place, *event)),
            _ => return Some((*event, last.map_or(0, |(_, event)| event))),
        }
    }
    None
}

/// An event has one name over all its tries, and counts them.
fn repeats(account: &mut Account, arrivals: &[Arrival], sees_all: bool) {
    let mut known: HashMap<u64, (&str, u32, u32)> = HashMap::new();
    let mut names: HashMap<&str, u64> = HashMap::new();
    for arrival in arrivals {
        account.retries = account.retries.max(arrival.retry);
        let named = *names.entry(&arrival.id).or_insert(arrival.event);
        let (name, last, times) = known.get(&arrival.event).copied().unwrap_or((&arrival.id, 0, 0));
        let event = arrival.event;
        if named != event || name != arrival.id {
            account.wrong.push(format!(
                "event {event} is called {:?}, and was {name:?}; that is the name of event {named}",
                arrival.id
            ));
        }
        if arrival.retry < last || (sees_all && arrival.retry > times) {
            account.wrong.push(format!(
                "event {event} came with x-8x8-retry {}, behind {last}, after {times} times",
                arrival.retry
            ));
        }
        known.insert(event, (name, arrival.retry, times + 1));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn arrival(conversation: &str, event: u64, retry: u32, taken: bool) -> Arrival {
        Arrival {
            event,
            id: format!("id-{event}"),
            conversation: conversation.to_owned(),
            retry,
            at: Instant::now(),
            taken,
        }
    }

    fn judged(arrivals: &[Arrival]) -> Account {
        let log = HashMap::from([("a".to_owned(), vec![1, 3, 2]), ("b".to_owned(), vec![4])]);
        account(arrivals, &["a".to_owned(), "b".to_owned()], &log, true)
    }

    fn good() -> Vec<Arrival> {
        vec![
            arrival("a", 1, 0, false),
            arrival("b", 4, 0, true),
            arrival("a", 1, 1, true),
            arrival("a", 3, 0, true),
            arrival("a", 3, 0, true),
            arrival("a", 2, 0, true),
        ]
    }

    #[test]
    fn all_in_the_order_of_the_log_is_well_also_where_some_come_again() {
        let account = judged(&good());
        assert_eq!(account.wrong, Vec::<String>::new());
        assert_eq!(
            (account.taken, account.missing, account.again, account.retries),
            (4, 0, 1, 1)
        );
    }

    #[test]
    fn whatever_is_amiss_is_told() {
        type Change = fn(&mut Vec<Arrival>);
        let changes: [(&str, Change); 9] = [
            ("misses", |all| drop(all.pop())),
            ("misses", |all| all[1].taken = false),
            ("another order", |all| all.swap(2, 5)),
            ("another order", |all| all.push(arrival("a", 9, 0, true))),
            ("another's", |all| all.push(arrival("c", 9, 0, true))),
            ("is called", |all| all[2].id = "id-7".to_owned()),
            ("is called", |all| all[5].id = "id-3".to_owned()),
            ("x-8x8-retry", |all| all[5].retry = 1),
            ("x-8x8-retry", |all| {
                all.push(arrival("a", 1, 2, true));
                all.push(arrival("a", 1, 1, true));
            }),
        ];
        for (word, change) in changes {
            let mut all = good();
            change(&mut all);
            let wrong = judged(&all).wrong;
            assert!(wrong.iter().any(|what| what.contains(word)), "{word}: {wrong:?}");
        }
    }
}
