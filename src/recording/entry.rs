//! The file: JSON lines, of which the first says what it is.

use std::io::{self, BufRead, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json;

/// The version of the format.
const VERSION: u64 = 1;
/// The longest line that is read, in bytes: some more than the largest webhook.
const LINE_BYTES_MAX: u64 = 32 << 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    chatbridge_recording: u64,
    started_at: String,
}

/// What passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Entry {
    /// A webhook, and how the service answered.
    Webhook(Hook),
    /// A call, and how 8x8 answered.
    Call(Call),
}

impl Entry {
    /// When it came, in milliseconds since the recording began.
    pub fn at_ms(&self) -> u64 {
        match self {
            Self::Webhook(hook) => hook.at_ms,
            Self::Call(call) => call.at_ms,
        }
    }
}

/// A webhook. Its signature is not kept: it would not fit what is left of the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// When it came, in milliseconds since the recording began.
    pub at_ms: u64,
    /// `x-8x8-tenant-id`.
    pub tenant: String,
    /// `x-8x8-customer-id`.
    pub customer: String,
    /// `x-8x8-event-id`.
    pub event: String,
    /// `x-8x8-retry`.
    pub retry: u32,
    /// What the service answered; 0: nothing.
    pub status: u16,
    /// The body, redacted.
    #[serde(deserialize_with = "json::value")]
    pub body: Value,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// When it came, in milliseconds since the recording began.
    pub at_ms: u64,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The request's body, redacted; null where it was none, or no JSON.
    #[serde(default, deserialize_with = "json::value")]
    pub request: Value,
    /// What 8x8 answered; 0: nothing.
    pub status: u16,
    /// The answer's body, likewise.
    #[serde(default, deserialize_with = "json::value")]
    pub response: Value,
}

/// Why a recording cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file failed.
    #[error("the recording cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// A line is not what it should be.
    #[error("line {0} of the recording {1}")]
    Line(usize, String),
}

/// Writes a recording, entry by entry.
pub struct Writer<W: Write>(W);

impl<W: Write> Writer<W> {
    /// Begins a recording.
    pub fn begin(mut to: W) -> Result<Self, RecordingError> {
        let head = Head {
            chatbridge_recording: VERSION,
            started_at: Timestamp::now().to_string(),
        };
        write_line(&mut to, &head)?;
        Ok(Self(to))
    }

    /// Adds an entry, which is in the file once this returns.
    pub fn add(&mut self, entry: &Entry) -> Result<(), RecordingError> {
        write_line(&mut self.0, entry)
    }
}

fn write_line(to: &mut impl Write, line: &impl Serialize) -> Result<(), RecordingError> {
    let mut text = serde_json::to_vec(line).map_err(io::Error::from)?;
    text.push(b'\n');
    to.write_all(&text)?;
    Ok(to.flush()?)
}

/// A recording, in the order in which things came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// What passed. The file has it in the order in which it was answered.
    pub entries: Vec<Entry>,
}

impl Recording {
    /// Reads a recording. A last line that was cut off is left out, as of a recorder that was killed.
    pub fn read(mut from: impl BufRead) -> Result<Self, RecordingError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut number = 0;
        loop {
            let mut line = Vec::new();
            number += 1;
            let read = io::Read::take(&mut from, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            if read == 0 && number > 1 {
                break;
            }
            if number == 1 {
                head(&line)?;
            } else if !line.ends_with(b"\n") {
                break;
            } else {
                let entry = serde_json::from_slice(&line)
                    .map_err(|error| RecordingError::Line(number, format!("cannot be read: {error}")))?;
                entries.push(entry);
            }
        }
        entries.sort_by_key(Entry::at_ms);
        Ok(Self { entries })
    }
}

fn head(line: &[u8]) -> Result<(), RecordingError> {
    let head: Head = serde_json::from_slice(line)
        .map_err(|_| RecordingError::Line(1, "does not say that it is one of Chatbridge's".into()))?;
    if head.chatbridge_recording == VERSION {
        return Ok(());
    }
    let problem = format!(
        "says version {}, and this program reads {VERSION}",
        head.chatbridge_recording
    );
    Err(RecordingError::Line(1, problem))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(at_ms: u64) -> Entry {
        Entry::Call(Call {
            at_ms,
            method: "GET".into(),
            path: "/chat-gateway/v1/channels".into(),
            request: Value::Null,
            status: 200,
            response: json!({ "$serde_json::private::RawValue": "1" }),
        })
    }

    #[test]
    fn what_is_written_is_read_in_the_order_in_which_it_came() {
        let mut file = Vec::new();
        let mut writer = Writer::begin(&mut file).unwrap();
        let entries = [call(20), call(10)];
        for entry in &entries {
            writer.add(entry).unwrap();
        }
        let whole = Recording::read(&file[..]).unwrap();
        assert_eq!(whole.entries, [call(10), call(20)]);
        let cut = Recording::read(&file[..file.len() - 3]).unwrap();
        assert_eq!(cut.entries, [call(20)]);
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        for (text, says) in [
            ("", "line 1"),
            ("{}\n", "line 1"),
            ("{\"chatbridgeRecording\":2,\"startedAt\":\"\"}\n", "version 2"),
            ("{\"chatbridgeRecording\":1,\"startedAt\":\"\"}\n{}\n", "line 2"),
        ] {
            let error = Recording::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
