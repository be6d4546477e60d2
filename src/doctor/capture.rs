//! A request that somebody captured: as it went over the wire, or as JSON.

use std::str::FromStr as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::json;

/// How many header lines are read.
const LINES_MAX: usize = 200;

/// A captured request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Its method; `None`: not captured.
    pub method: Option<String>,
    /// Its path, without a query; `None`: not captured.
    pub path: Option<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came. With a `content-length`, no more than that.
    pub body: Bytes,
    /// How many bytes stood behind that.
    pub surplus: usize,
    /// When it was received, Unix milliseconds; `None`: not captured.
    pub received_ms: Option<i64>,
}

/// Why a capture cannot be read, as the rest of a sentence that shows nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CaptureError(pub String);

type Read<T> = Result<T, CaptureError>;

fn problem<T>(what: impl Into<String>) -> Read<T> {
    Err(CaptureError(what.into()))
}

impl Captured {
    /// Reads a capture. What begins with `{` is JSON, everything else the text of an HTTP/1 request.
    pub fn read(capture: &[u8]) -> Read<Self> {
        let capture = capture.strip_prefix(b"\xef\xbb\xbf").unwrap_or(capture);
        if capture.trim_ascii_start().starts_with(b"{") {
            of_json(capture)
        } else {
            of_wire(capture)
        }
    }

    /// The length that its `content-length` tells.
    pub fn announced(&self) -> Option<usize> {
        self.headers
            .get("content-length")?
            .to_str()
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    fn cut(mut self) -> Self {
        if let Some(announced) = self.announced() {
            self.surplus = self.body.len().saturating_sub(announced);
            self.body.truncate(announced);
        }
        self
    }
}

fn of_wire(capture: &[u8]) -> Read<Captured> {
    let mut lines = [httparse::EMPTY_HEADER; LINES_MAX];
    let mut request = httparse::Request::new(&mut lines);
    let head = match request.parse(capture) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => {
            return problem(
                "has no empty line behind its head: request line, headers, an empty line and the body are expected",
            );
        }
        Err(error) => {
            return problem(format!(
                "is neither an HTTP/1 request, as in `POST /webhooks/8x8 HTTP/1.1`, nor JSON ({error})"
            ));
        }
    };
    let mut headers = HeaderMap::new();
    for line in request.headers.iter() {
        append(&mut headers, line.name, line.value)?;
    }
    let is_chunked = headers
        .get("transfer-encoding")
        .is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    let raw = capture.get(head..).unwrap_or_default();
    let body = if is_chunked { chunks(raw)? } else { raw.to_vec() };
    let captured = Captured {
        method: request.method.map(str::to_owned),
        path: request.path.map(without_query),
        headers,
        body: body.into(),
        surplus: 0,
        received_ms: None,
    };
    Ok(captured.cut())
}

/// Undoes the coding by chunks.
fn chunks(mut rest: &[u8]) -> Read<Vec<u8>> {
    let broken = || {
        CaptureError(
            "has a chunked body that breaks off, or is not chunked any more: then take that header out"
                .into(),
        )
    };
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(rest) else {
            return Err(broken());
        };
        let size = usize::try_from(size).map_err(|_| broken())?;
        if size == 0 {
            return Ok(body);
        }
        let end = start.checked_add(size).ok_or_else(broken)?;
        body.extend_from_slice(rest.get(start..end).ok_or_else(broken)?);
        rest = rest
            .get(end..)
            .and_then(|rest| rest.strip_prefix(b"\r\n"))
            .ok_or_else(broken)?;
    }
}

fn of_json(capture: &[u8]) -> Read<Captured> {
    let Ok(Value::Object(members)) = json::from_slice(capture) else {
        return problem("begins as JSON, and is not one JSON object");
    };
    let text = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => problem(format!("has a {name:?} that is no text")),
    };
    let body = match (text("body")?, text("bodyBase64")?) {
        (Some(body), None) => body.into_bytes(),
        (None, Some(coded)) => STANDARD
            .decode(coded.trim())
            .map_err(|_| CaptureError("has a \"bodyBase64\" that is not base64".into()))?,
        _ => return problem("needs either \"body\", a text, or \"bodyBase64\""),
    };
    let address = text("url")?.or(text("path")?);
    let captured = Captured {
        method: text("method")?,
        path: address.map(|address| path_of(&address)),
        headers: headers(members.get("headers"))?,
        body: body.into(),
        surplus: 0,
        received_ms: members.get("receivedAt").map(received_ms).transpose()?,
    };
    Ok(captured.cut())
}

/// An object of names and values, where a value may be a list; or a list of objects with `name` and `value`.
fn headers(value: Option<&Value>) -> Read<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &Value| match value {
        Value::String(text) => append(&mut headers, name, text.as_bytes()),
        Value::Number(number) => append(&mut headers, name, number.to_string().as_bytes()),
        _ => problem(format!("has a header {name:?} whose value is no text")),
    };
    match value {
        Some(Value::Object(named)) => {
            for (name, value) in named {
                match value {
                    Value::Array(values) => values.iter().try_for_each(|value| add(name, value))?,
                    value => add(name, value)?,
                }
            }
        }
        Some(Value::Array(list)) => {
            for header in list {
                match (header.get("name"), header.get("value")) {
                    (Some(Value::String(name)), Some(value)) => add(name, value)?,
                    _ => return problem("has a list of headers of which one lacks \"name\" or \"value\""),
                }
            }
        }
        _ => {
            return problem(
                "needs \"headers\": an object of names and values, or a list of {\"name\", \"value\"}",
            );
        }
    }
    Ok(headers)
}

fn append(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Read<()> {
    let parsed = HeaderName::from_str(name)
        .ok()
        .zip(HeaderValue::from_bytes(value).ok());
    let Some((known, value)) = parsed else {
        return problem(format!("has a header {name:?} that cannot be one"));
    };
    headers.append(known, value);
    Ok(())
}

fn path_of(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(url) => url.path().to_owned(),
        Err(_) => without_query(address),
    }
}

fn without_query(path: &str) -> String {
    path.split('?').next().unwrap_or_default().to_owned()
}

fn received_ms(value: &Value) -> Read<i64> {
    let parsed = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => read_time(text),
        _ => None,
    };
    parsed.ok_or_else(|| {
        CaptureError(
            "has a \"receivedAt\" that is neither a time such as 2026-03-01T12:00:00Z nor Unix milliseconds"
                .into(),
        )
    })
}

/// Reads a time: RFC 3339, or Unix milliseconds.
pub(super) fn read_time(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse::<i64>()
        .ok()
        .or_else(|| text.parse::<Timestamp>().ok().map(|time| time.as_millisecond()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const WIRE: &str =
        "POST /webhooks/8x8/s?x=1 HTTP/1.1\r\nHost: door\r\nX-8x8-Retry: 0\r\nContent-Length: 2\r\n\r\n{}";

    #[test]
    fn the_text_of_a_request_is_read() {
        let captured = Captured::read(WIRE.as_bytes()).unwrap();
        assert_eq!(captured.path.as_deref(), Some("/webhooks/8x8/s"));
        assert_eq!(captured.headers["x-8x8-retry"], "0");
        assert_eq!((&captured.body[..], captured.surplus), (&b"{}"[..], 0));
        let with_line_feeds = WIRE.replace("\r\n", "\n") + "\n";
        let captured = Captured::read(with_line_feeds.as_bytes()).unwrap();
        assert_eq!((&captured.body[..], captured.surplus), (&b"{}"[..], 1));
    }

    #[test]
    fn chunks_are_put_together() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let captured = Captured::read(format!("{head}2\r\n{{}}\r\n1\r\n \r\n0\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(&captured.body[..], b"{} ");
        let broken = Captured::read(format!("{head}5\r\n{{}}").as_bytes()).unwrap_err();
        assert!(broken.0.contains("chunked"), "{broken}");
    }

    #[rstest]
    #[case(r#"{"url":"https://h/webhooks/8x8?a=b","headers":{"A":["1","2"],"b":3},"body":"{}","receivedAt":"1970-01-01T00:00:01Z"}"#)]
    #[case(r#"{"path":"/webhooks/8x8","headers":[{"name":"a","value":"1"},{"name":"A","value":"2"},{"name":"B","value":"3"}],"bodyBase64":"e30=","receivedAt":1000}"#)]
    fn json_is_read(#[case] capture: &str) {
        let captured = Captured::read(capture.as_bytes()).unwrap();
        assert_eq!(captured.path.as_deref(), Some("/webhooks/8x8"));
        assert_eq!(captured.headers.get_all("a").iter().count(), 2);
        assert_eq!(captured.headers["b"], "3");
        assert_eq!(&captured.body[..], b"{}");
        assert_eq!(captured.received_ms, Some(1000));
    }

    #[rstest]
    #[case("", "no empty line")]
    #[case("hello", "no empty line")]
    #[case("POST / HTTP/1.1\r\nno header\r\n\r\n", "neither an HTTP/1 request")]
    #[case("{", "not one JSON object")]
    #[case(r#"{"headers":{}}"#, "bodyBase64")]
    #[case(r#"{"headers":{},"bodyBase64":"*"}"#, "not base64")]
    #[case(r#"{"headers":{"a b":"c"},"body":""}"#, "cannot be one")]
    #[case(r#"{"body":""}"#, "\"headers\"")]
    #[case(r#"{"headers":{},"body":"","receivedAt":"soon"}"#, "receivedAt")]
    fn what_cannot_be_read_is_told(#[case] capture: &str, #[case] says: &str) {
        let error = Captured::read(capture.as_bytes()).unwrap_err();
        assert!(error.0.contains(says), "{error}");
    }

    proptest! {
        #[test]
        fn no_capture_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[ -~\r\n]{0,200}") {
            let _ = Captured::read(&bytes);
            let _ = Captured::read(format!("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{text}").as_bytes());
            let _ = Captured::read(format!("{{{text}").as_bytes());
        }
    }
}
