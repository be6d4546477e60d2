//! The sender's trace context (W3C Trace Context, level 1).

use axum::http::HeaderMap;

/// The request's `traceparent`, if it is there once and well-formed: version 00, and neither id all zeros. A version that
/// does not exist yet starts a new trace, as the recommendation allows.
pub(super) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all("traceparent").iter();
    let value = values.next()?.to_str().ok()?;
    (values.next().is_none() && is_well_formed(value)).then(|| value.to_owned())
}

fn is_well_formed(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace, span, flags] = parts[..] else {
        return false;
    };
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let set = |part: &str| part.bytes().any(|b| b != b'0');
    version == "00" && hex(trace, 32) && set(trace) && hex(span, 16) && set(span) && hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_well_formed_contexts_are_taken() {
        let mut headers = HeaderMap::new();
        assert_eq!(traceparent(&headers), None);
        headers.insert("traceparent", HeaderValue::from_static(GOOD));
        assert_eq!(traceparent(&headers).as_deref(), Some(GOOD));
        headers.append("traceparent", HeaderValue::from_static(GOOD));
        assert_eq!(traceparent(&headers), None);
        for wrong in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        ] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }
}
