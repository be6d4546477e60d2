//! Where to start.

use std::str::FromStr;

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;

use crate::grpc::proto::{StartPosition, agent_events_request::Start};

/// The longest cursor that the contract allows, in bytes.
const LONGEST_CURSOR: usize = 4096;

/// A place to start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StartFrom {
    /// What comes from now on.
    Latest,
    /// The oldest event that is left.
    Earliest,
    /// Events logged at this time or later.
    Time(jiff::Timestamp),
    /// Behind this cursor.
    Cursor(Bytes),
}

impl StartFrom {
    /// As the contract has it.
    pub(super) fn start(&self) -> Start {
        match self {
            Self::Latest => Start::Position(StartPosition::Latest.into()),
            Self::Earliest => Start::Position(StartPosition::Earliest.into()),
            Self::Time(time) => Start::Time(protobuf_time(*time)),
            Self::Cursor(cursor) => Start::Cursor(cursor.clone()),
        }
    }
}

impl FromStr for StartFrom {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        match given.trim() {
            "latest" => return Ok(Self::Latest),
            "earliest" => return Ok(Self::Earliest),
            _ => {}
        }
        if let Ok(time) = given.trim().parse() {
            return Ok(Self::Time(time));
        }
        // A cursor has neither; so this was meant as a time, and what is wrong with it helps more than base64 would.
        if given.contains(':') || given.contains(' ') {
            return Err("not a time with date and zone, such as 2026-01-31T12:00:00Z".to_owned());
        }
        decode_cursor(given).map(Self::Cursor).map_err(|problem| {
            format!("neither latest, nor earliest, nor a time such as 2026-01-31T12:00:00Z, nor a cursor: {problem}")
        })
    }
}

/// Reads a cursor from base64, in either alphabet, padded or not.
pub(super) fn decode_cursor(given: &str) -> Result<Bytes, String> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if given.contains(['-', '_']) {
        URL_SAFE
    } else {
        STANDARD
    };
    let bytes = GeneralPurpose::new(&alphabet, CONFIG)
        .decode(given.trim())
        .map_err(|error| format!("it is not base64: {error}"))?;
    match bytes.len() {
        0 => Err("it is empty".to_owned()),
        len if len > LONGEST_CURSOR => Err(format!(
            "it has {len} bytes, and no cursor has more than {LONGEST_CURSOR}"
        )),
        _ => Ok(bytes.into()),
    }
}

/// Protobuf counts nanoseconds forward from the second, also before 1970.
fn protobuf_time(time: jiff::Timestamp) -> prost_types::Timestamp {
    let (mut seconds, mut nanos) = (time.as_second(), time.subsec_nanosecond());
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    prost_types::Timestamp { seconds, nanos }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("latest", StartFrom::Latest)]
    #[case("earliest", StartFrom::Earliest)]
    #[case("2023-11-14T22:13:20Z", StartFrom::Time(jiff::Timestamp::new(1_700_000_000, 0).unwrap()))]
    #[case("2023-11-14T23:13:20.5+01:00", StartFrom::Time(jiff::Timestamp::new(1_700_000_000, 500_000_000).unwrap()))]
    #[case("+/8=", StartFrom::Cursor(Bytes::from_static(&[0xfb, 0xff])))]
    #[case("+/8", StartFrom::Cursor(Bytes::from_static(&[0xfb, 0xff])))]
    #[case("-_8", StartFrom::Cursor(Bytes::from_static(&[0xfb, 0xff])))]
    fn places_are_read(#[case] given: &str, #[case] expected: StartFrom) {
        assert_eq!(given.parse::<StartFrom>().unwrap(), expected);
    }

    #[rstest::rstest]
    #[case("2023-11-14T22:13:20", "not a time with date and zone")]
    #[case("22:13", "not a time with date and zone")]
    #[case("yesterday!", "nor a cursor: it is not base64")]
    #[case("", "it is empty")]
    fn other_places_are_refused_with_a_sentence(#[case] given: &str, #[case] expected: &str) {
        let problem = given.parse::<StartFrom>().unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }

    #[test]
    fn a_cursor_is_bounded() {
        let problem = "A".repeat(8000).parse::<StartFrom>().unwrap_err();
        assert!(problem.contains("no cursor has more than 4096"), "{problem}");
    }

    #[test]
    fn times_before_1970_count_forward_too() {
        let time = "1969-12-31T23:59:59.25Z".parse().unwrap();
        assert_eq!(
            protobuf_time(time),
            prost_types::Timestamp {
                seconds: -1,
                nanos: 250_000_000
            }
        );
    }
}
