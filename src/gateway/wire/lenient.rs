//! Fields that the vendor does not always write in the type that it documents.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A text; numbers and booleans as they are written; everything else counts as not given.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(from.deserialize_any(Scalar)?.unwrap_or_default())
}

/// A count; a text that holds one; `None` for everything else.
pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let number = from
        .deserialize_any(Scalar)?
        .and_then(|text| text.trim().parse::<f64>().ok());
    // The cast saturates: a count that is too large becomes the largest, a negative one zero.
    Ok(number.filter(|n| n.is_finite()).map(|n| n as u32))
}

/// A size in bytes; a text that holds one; `None` for everything else.
pub(super) fn size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let text = from.deserialize_any(Scalar)?.unwrap_or_default();
    let text = text.trim();
    // Exact where it can be; `4166.0` and the like only come as floating point.
    let rounded = || {
        let number = text.parse::<f64>().ok();
        number.filter(|n| n.is_finite() && *n >= 0.0).map(|n| n as u64)
    };
    Ok(text.parse().ok().or_else(rounded))
}

/// A boolean, or a text that holds one; everything else counts as false.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let text = from.deserialize_any(Scalar)?;
    Ok(text.is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

/// A value; `null` counts as not given.
pub(super) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a scalar as text and skips lists and objects without keeping them.
struct Scalar;

impl<'de> Visitor<'de> for Scalar {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Some(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#""a""#, "a")]
    #[case("7", "7")]
    #[case("-7", "-7")]
    #[case("1.5", "1.5")]
    #[case("true", "true")]
    #[case("null", "")]
    #[case("[1,[2]]", "")]
    #[case(r#"{"a":{"b":[]}}"#, "")]
    fn texts(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(
            text(&mut serde_json::Deserializer::from_str(json)).unwrap(),
            expected
        );
    }

    #[rstest]
    #[case("7", Some(7))]
    #[case("7.0", Some(7))]
    #[case(r#"" 7 ""#, Some(7))]
    #[case("-1", Some(0))]
    #[case("1e30", Some(u32::MAX))]
    #[case(r#""inf""#, None)]
    #[case(r#""many""#, None)]
    #[case("true", None)]
    #[case("null", None)]
    #[case("[]", None)]
    fn counts(#[case] json: &str, #[case] expected: Option<u32>) {
        assert_eq!(
            count(&mut serde_json::Deserializer::from_str(json)).unwrap(),
            expected
        );
    }

    #[rstest]
    #[case("0", Some(0))]
    #[case("4166", Some(4166))]
    #[case("4166.0", Some(4166))]
    #[case(r#"" 4166 ""#, Some(4166))]
    #[case("9007199254740993", Some(9_007_199_254_740_993))]
    #[case("1e30", Some(u64::MAX))]
    #[case("-1", None)]
    #[case(r#""nan""#, None)]
    #[case(r#""4 KiB""#, None)]
    #[case("true", None)]
    #[case("null", None)]
    #[case("{}", None)]
    fn sizes(#[case] json: &str, #[case] expected: Option<u64>) {
        assert_eq!(
            size(&mut serde_json::Deserializer::from_str(json)).unwrap(),
            expected
        );
    }

    #[rstest]
    #[case("true", true)]
    #[case("false", false)]
    #[case(r#""True""#, true)]
    #[case("1", false)]
    #[case("null", false)]
    fn flags(#[case] json: &str, #[case] expected: bool) {
        assert_eq!(
            flag(&mut serde_json::Deserializer::from_str(json)).unwrap(),
            expected
        );
    }
}
