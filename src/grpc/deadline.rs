//! How long the caller waits.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Request;

/// When the caller stops waiting; `None`: it did not say, or not in a way that can be read.
pub(super) fn of<T>(request: &Request<T>) -> Option<Instant> {
    let header = request.metadata().get("grpc-timeout")?;
    let timeout = parse(header.to_str().ok()?)?;
    // What the clock cannot hold is no limit.
    Instant::now().checked_add(timeout)
}

/// Reads a `grpc-timeout`: one to eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = is_number.then(|| digits.parse().ok())??;
    Some(match unit {
        'H' => Duration::from_secs(number * 3600),
        'M' => Duration::from_secs(number * 60),
        'S' => Duration::from_secs(number),
        'm' => Duration::from_millis(number),
        'u' => Duration::from_micros(number),
        'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1H", Duration::from_secs(3600))]
    #[case("2M", Duration::from_secs(120))]
    #[case("3S", Duration::from_secs(3))]
    #[case("4m", Duration::from_millis(4))]
    #[case("5u", Duration::from_micros(5))]
    #[case("6n", Duration::from_nanos(6))]
    #[case("0m", Duration::ZERO)]
    #[case("007S", Duration::from_secs(7))]
    #[case("99999999H", Duration::from_secs(99_999_999 * 3600))]
    fn timeouts_are_read(#[case] text: &str, #[case] expected: Duration) {
        assert_eq!(parse(text), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("S")]
    #[case("5")]
    #[case("123456789S")]
    #[case("5s")]
    #[case("5 S")]
    #[case("+5S")]
    #[case("-5S")]
    #[case("5.0S")]
    #[case("5SS")]
    #[case("5é")]
    fn what_is_no_timeout_is_none(#[case] text: &str) {
        assert_eq!(parse(text), None);
    }

    #[test]
    fn the_deadline_is_that_far_away() {
        let mut request = Request::new(());
        assert_eq!(of(&request), None);
        request.set_timeout(Duration::from_secs(100));
        let left = of(&request).unwrap() - Instant::now();
        assert!(
            left > Duration::from_secs(90) && left <= Duration::from_secs(100),
            "{left:?}"
        );
        for text in ["nonsense", "99999999H"] {
            request
                .metadata_mut()
                .insert("grpc-timeout", text.parse().unwrap());
            of(&request);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in any::<String>()) {
            parse(&text);
        }

        #[test]
        fn all_of_the_grammar_is_read(number in 0_u64..100_000_000, unit in "[HMSmun]") {
            let text = format!("{number}{unit}");
            prop_assert!(parse(&text).is_some());
        }
    }
}
