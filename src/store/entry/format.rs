//! Versions of the stored format of entries.
//!
//! A program reads all versions from [`OLDEST`] to [`NEWEST`]. Which one is written is noted in the store and the same for all
//! replicas; an operator raises it once every replica reads it, and no program does so by itself (`docs/upgrade.md`). What a program
//! cannot read it hands on as unreadable, and never as something else.
//!
//! A version is about an entry's content and the fields beside its head. The head is encoded as the contract says, whose fields keep
//! their numbers: whoever an entry is for can be told in every version.

use bytes::Bytes;
use prost::Message;

/// The oldest version that this program reads.
pub const OLDEST: u16 = 1;

/// The newest.
pub const NEWEST: u16 = if cfg!(feature = "next-entry-format") { 2 } else { 1 };

/// The version in which a log begins that nobody has written to. Where a release brings a new version, this stays the one that the
/// release before it reads.
pub const BEGINS: u16 = 1;

/// Customer content of an entry: one blob, so that it can be encrypted as a whole.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Content {
    /// Encoded `AgentEvent` with its body alone.
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) body: Bytes,
    /// The webhook's body as received.
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) raw: Bytes,
}

/// A version that no release writes: the one that comes next, for tests of how versions follow each other. Read as if it were the
/// first, it is an event without content, which is what must never happen.
#[cfg(feature = "next-entry-format")]
#[derive(Clone, PartialEq, Message)]
struct NextContent {
    #[prost(bytes = "bytes", tag = "3")]
    body: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    raw: Bytes,
}

/// Whether this program reads a version.
pub fn is_read(version: u16) -> bool {
    (OLDEST..=NEWEST).contains(&version)
}

/// A version as it is stored.
pub(super) fn parse(stored: &str) -> Option<u16> {
    stored.parse().ok()
}

/// Content as `encode_content` makes it, in the form of a version. `None` where it is not what that makes.
#[cfg_attr(
    not(feature = "next-entry-format"),
    allow(clippy::unnecessary_wraps, reason = "a version may need to look into it")
)]
pub(in crate::store) fn content_for(version: u16, content: &Bytes) -> Option<Bytes> {
    match version {
        #[cfg(feature = "next-entry-format")]
        2 => {
            let Content { body, raw } = Content::decode(content.clone()).ok()?;
            Some(NextContent { body, raw }.encode_to_vec().into())
        }
        _ => Some(content.clone()),
    }
}

/// Reads content of a version that [`is_read`]. `None` where it is none.
pub(super) fn content_of(version: u16, content: Bytes) -> Option<Content> {
    match version {
        #[cfg(feature = "next-entry-format")]
        2 => {
            let NextContent { body, raw } = NextContent::decode(content).ok()?;
            Some(Content { body, raw })
        }
        _ => Content::decode(content).ok(),
    }
}

/// Why an entry of this version cannot be read.
pub(super) fn unknown(version: &str) -> String {
    format!(
        "an event is stored in format {version:?}, and this replica reads formats {OLDEST} to {NEWEST}: a replica of another \
         version reads it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_begins_in_a_version_that_is_read() {
        assert!(is_read(BEGINS) && is_read(OLDEST) && is_read(NEWEST));
        assert!(!is_read(OLDEST - 1) && !is_read(NEWEST + 1));
    }

    #[test]
    fn content_is_the_same_through_each_version() {
        let content = Content {
            body: Bytes::from_static(b"body"),
            raw: Bytes::from_static(b"raw"),
        };
        let encoded = Bytes::from(content.encode_to_vec());
        for version in OLDEST..=NEWEST {
            let stored = content_for(version, &encoded).unwrap();
            assert_eq!(content_of(version, stored), Some(content.clone()), "{version}");
        }
    }
}
