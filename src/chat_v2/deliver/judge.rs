//! What an attempt to deliver an event means for the event, its conversation and its webhook. Nothing here waits or asks.

use std::time::Duration;

use crate::{
    chat_v2::outgoing::Undelivered,
    store::outbox::{DeadReason, Settlement},
};

/// The first pause after a failure, and the longest one.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_mins(5);
/// The longest pause that a receiver may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(10);
/// A receiver that refuses so many in a row is down, whatever it answers.
const REFUSALS_MAX: u32 = 8;

/// How long delivering an event is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// How often an event may be refused.
    pub(super) attempts: u32,
    /// How old an event may be.
    pub(super) retry_for: Duration,
}

/// What had happened before an attempt.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    /// How often sending this event had failed.
    pub(super) tries: u32,
    /// How often in a row sending to its webhook had failed.
    pub(super) streak: u32,
    /// How old the event is.
    pub(super) age: Duration,
}

/// What follows from an attempt. `chance` lies between 0 and 1, so that those who failed together do not come back together.
pub(super) fn judge(
    rules: Rules,
    before: Before,
    attempt: Result<(), Undelivered>,
    chance: f64,
) -> Settlement {
    let Err(undelivered) = attempt else {
        return Settlement::Delivered;
    };
    let is_down = is_down(undelivered);
    let tries = before.tries.saturating_add(1);
    if !is_down && tries >= rules.attempts {
        return Settlement::Dead(DeadReason::Refused);
    }
    if before.age >= rules.retry_for {
        return Settlement::Dead(DeadReason::Expired);
    }
    let streak = before.streak.saturating_add(1);
    let asked = match undelivered {
        Undelivered::Refused { retry_after, .. } => retry_after.unwrap_or_default().min(RETRY_AFTER_MAX),
        _ => Duration::ZERO,
    };
    let pause = |failures: u32| millis(backoff(failures).mul_f64(0.8 + 0.4 * chance).max(asked));
    let (conversation_ms, webhook_ms) = match is_down {
        true => (0, pause(streak)),
        false if streak >= REFUSALS_MAX => (pause(tries), pause(streak - REFUSALS_MAX + 1)),
        false => (pause(tries), 0),
    };
    Settlement::Failed {
        conversation_ms,
        webhook_ms,
        streak,
    }
}

/// What follows where an event could not be sent for now, which is not its receiver's fault: the others go on.
pub(super) fn postpone(rules: Rules, before: Before, chance: f64) -> Settlement {
    if before.age >= rules.retry_for {
        return Settlement::Dead(DeadReason::Expired);
    }
    let tries = before.tries.saturating_add(1);
    Settlement::Failed {
        conversation_ms: millis(backoff(tries).mul_f64(0.8 + 0.4 * chance)),
        webhook_ms: 0,
        streak: before.streak,
    }
}

/// Whether it says something of the receiver as a whole, and not of the event.
pub(super) fn is_down(undelivered: Undelivered) -> bool {
    match undelivered {
        Undelivered::Refused { status, .. } => matches!(status, 408 | 429 | 502..=504),
        Undelivered::NotAllowed | Undelivered::Silent | Undelivered::Unreachable | Undelivered::Unsigned => {
            true
        }
    }
}

fn backoff(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    BACKOFF_MIN.saturating_mul(doubled).min(BACKOFF_MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const RULES: Rules = Rules {
        attempts: 10,
        retry_for: Duration::from_secs(86_400),
    };

    fn refused(status: u16) -> Undelivered {
        Undelivered::Refused {
            status,
            retry_after: None,
        }
    }

    fn after(tries: u32, streak: u32, undelivered: Undelivered) -> Settlement {
        let before = Before {
            tries,
            streak,
            age: Duration::from_secs(60),
        };
        judge(RULES, before, Err(undelivered), 0.5)
    }

    fn failed(conversation_ms: u64, webhook_ms: u64, streak: u32) -> Settlement {
        Settlement::Failed {
            conversation_ms,
            webhook_ms,
            streak,
        }
    }

    #[rstest]
    #[case::event(0, 0, refused(500), failed(1000, 0, 1))]
    #[case::again(3, 3, refused(400), failed(8000, 0, 4))]
    #[case::one_of_many(5, 0, refused(404), failed(32_000, 0, 1))]
    #[case::often(8, 1, refused(500), failed(256_000, 0, 2))]
    #[case::too_often(9, 1, refused(500), Settlement::Dead(DeadReason::Refused))]
    #[case::refuses_all(0, 7, refused(401), failed(1000, 1000, 8))]
    #[case::goes_on_refusing(0, 9, refused(401), failed(1000, 4000, 10))]
    #[case::redirects(0, 0, refused(302), failed(1000, 0, 1))]
    #[case::is_down(0, 0, refused(503), failed(0, 1000, 1))]
    #[case::stays_down(500, 500, refused(503), failed(0, 300_000, 501))]
    #[case::silent(4, 2, Undelivered::Silent, failed(0, 4000, 3))]
    #[case::unreachable(0, 30, Undelivered::Unreachable, failed(0, 300_000, 31))]
    #[case::private(0, 0, Undelivered::NotAllowed, failed(0, 1000, 1))]
    fn what_follows_from_a_failure(
        #[case] tries: u32,
        #[case] streak: u32,
        #[case] undelivered: Undelivered,
        #[case] expected: Settlement,
    ) {
        assert_eq!(after(tries, streak, undelivered), expected);
    }

    #[rstest]
    #[case(503, 30, failed(0, 30_000, 1))]
    #[case(429, 86_400, failed(0, 600_000, 1))]
    #[case(500, 30, failed(30_000, 0, 1))]
    #[case(503, 0, failed(0, 1000, 1))]
    fn a_receiver_may_ask_for_a_pause(
        #[case] status: u16,
        #[case] seconds: u64,
        #[case] expected: Settlement,
    ) {
        let asked = Undelivered::Refused {
            status,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(after(0, 0, asked), expected);
    }

    #[test]
    fn an_old_event_has_one_more_chance() {
        let old = Before {
            age: RULES.retry_for,
            ..Before::default()
        };
        let expired = Settlement::Dead(DeadReason::Expired);
        assert_eq!(judge(RULES, old, Err(Undelivered::Silent), 0.5), expired);
        assert_eq!(judge(RULES, old, Err(refused(500)), 0.5), expired);
        assert_eq!(judge(RULES, old, Ok(()), 0.5), Settlement::Delivered);
    }

    #[test]
    fn what_is_postponed_holds_up_no_other() {
        let before = Before {
            tries: 3,
            streak: 2,
            age: Duration::from_secs(60),
        };
        assert_eq!(postpone(RULES, before, 0.5), failed(8000, 0, 2));
        let old = Before {
            age: RULES.retry_for,
            ..before
        };
        assert_eq!(postpone(RULES, old, 0.5), Settlement::Dead(DeadReason::Expired));
    }

    proptest! {
        #[test]
        fn no_failure_is_repeated_at_once_or_never(
            tries in any::<u32>(), streak in any::<u32>(), status in 100_u16..600, chance in 0.0_f64..=1.0,
        ) {
            let rules = Rules { attempts: u32::MAX, ..RULES };
            let before = Before { tries, streak, age: Duration::ZERO };
            match judge(rules, before, Err(refused(status)), chance) {
                Settlement::Failed { conversation_ms, webhook_ms, .. } => {
                    let longest = conversation_ms.max(webhook_ms);
                    prop_assert!((800..=360_000).contains(&longest), "{longest}");
                }
                Settlement::Dead(DeadReason::Refused) => prop_assert!(tries >= u32::MAX - 1),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
