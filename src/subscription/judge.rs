//! How a subscription is doing.

use super::definition::Subscription;

/// How a subscription is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It has a member.
    Active,
    /// It has none.
    Idle,
    /// An event has been waiting for [`stalls_after_ms`], and nothing was committed for as long.
    Stalled,
}

/// For how long an event may wait without any commit before the subscription counts as stalled: two leases. A member that
/// fails is found out after one, and whoever takes over from it has another.
pub fn stalls_after_ms(subscription: &Subscription) -> u64 {
    2 * subscription.definition.lease_ms
}

/// Judges. `waiting_since_ms`: since when the oldest event has been in the log that was not committed; `None`: there is none.
/// `committed_ms`: when something was last committed; 0: never.
pub(super) fn judge(
    subscription: &Subscription,
    now_ms: u64,
    members: usize,
    waiting_since_ms: Option<u64>,
    committed_ms: u64,
) -> State {
    let since = waiting_since_ms.map(|since| since.max(committed_ms).max(subscription.created_ms));
    if since.is_some_and(|since| now_ms.saturating_sub(since) > stalls_after_ms(subscription)) {
        return State::Stalled;
    }
    if members > 0 { State::Active } else { State::Idle }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::subscription::definition::{Definition, Kind, StartAt};

    #[rstest]
    #[case::nothing_to_do(1_000_000, 1, None, 0, State::Active)]
    #[case::nobody_and_nothing_to_do(1_000_000, 0, None, 0, State::Idle)]
    #[case::waiting_for_a_while(160_000, 1, Some(100_000), 0, State::Active)]
    #[case::waiting_for_long(160_001, 1, Some(100_000), 0, State::Stalled)]
    #[case::waiting_for_long_with_nobody(160_001, 0, Some(100_000), 0, State::Stalled)]
    #[case::committed_lately(160_001, 1, Some(100_000), 100_002, State::Active)]
    #[case::committed_long_ago(260_001, 1, Some(100_000), 200_000, State::Stalled)]
    #[case::waiting_since_before_its_creation(110_000, 0, Some(1), 0, State::Idle)]
    #[case::a_clock_that_stepped_back(50_000, 1, Some(100_000), 0, State::Active)]
    fn states(
        #[case] now_ms: u64,
        #[case] members: usize,
        #[case] waiting: Option<u64>,
        #[case] committed: u64,
        #[case] expected: State,
    ) {
        let subscription = Subscription {
            uid: 1,
            created_ms: 90_000,
            from: bytes::Bytes::new(),
            definition: Definition {
                kind: Kind::Durable,
                conversations: [].into(),
                kinds: [].into(),
                echoes: false,
                start: StartAt::Latest,
                lease_ms: 30_000,
            },
        };
        assert_eq!(
            judge(&subscription, now_ms, members, waiting, committed),
            expected
        );
    }
}
