//! A cursor: a place in every partition that a stream reads, as one opaque value.
//!
//! Layout: one version byte, a protobuf message, and the CRC-32 of all before it (big-endian), which catches values that
//! were cut or mangled on their way. A cursor carries no authority.

use prost::Message;

use crate::event::{EntryId, Position};

/// The longest cursor that is accepted, in bytes.
pub const MAX_BYTES: usize = 4096;

const VERSION: u8 = 1;

/// A place in every partition that a stream reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Store time of its making, Unix milliseconds. Partitions without a position are read from here.
    pub time_ms: u64,
    /// How many partitions the log had; positions mean nothing for another number.
    pub partitions: u16,
    /// Position by partition, sorted.
    pub positions: Vec<(u16, EntryId)>,
}

/// Why bytes are not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CursorError(&'static str);

#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(uint64, tag = "1")]
    time_ms: u64,
    #[prost(uint32, tag = "2")]
    partitions: u32,
    #[prost(message, repeated, tag = "3")]
    positions: Vec<WirePosition>,
}

#[derive(Clone, PartialEq, Message)]
struct WirePosition {
    #[prost(uint32, tag = "1")]
    partition: u32,
    #[prost(uint64, tag = "2")]
    epoch: u64,
    #[prost(uint64, tag = "3")]
    ms: u64,
    #[prost(uint64, tag = "4")]
    n: u64,
}

impl Cursor {
    /// A cursor that names a time alone.
    pub fn at_time(time_ms: u64, partitions: u16) -> Self {
        Self {
            time_ms,
            partitions,
            positions: Vec::new(),
        }
    }

    /// Where to read on in a partition of a log that has `partitions`.
    pub fn position(&self, partition: u16, partitions: u16) -> Position {
        if self.partitions != partitions {
            return Position::Since(self.time_ms);
        }
        // The beginning of time is where a stream from the earliest stands in partitions that it has not read yet.
        let elsewhere = if self.time_ms == 0 {
            Position::Earliest
        } else {
            Position::Since(self.time_ms)
        };
        self.positions
            .binary_search_by_key(&partition, |(p, _)| *p)
            .map_or(elsewhere, |i| Position::After(self.positions[i].1))
    }

    /// The opaque bytes.
    pub fn encode(&self) -> Vec<u8> {
        let wire = Wire {
            time_ms: self.time_ms,
            partitions: u32::from(self.partitions),
            positions: self
                .positions
                .iter()
                .map(|(partition, id)| WirePosition {
                    partition: u32::from(*partition),
                    epoch: id.epoch,
                    ms: id.ms,
                    n: id.n,
                })
                .collect(),
        };
        let mut bytes = vec![VERSION];
        bytes.extend(wire.encode_to_vec());
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    /// Reads opaque bytes, which may come from anybody.
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        if bytes.len() > MAX_BYTES {
            return Err(CursorError("the cursor is longer than 4096 bytes"));
        }
        let (payload, crc) = bytes
            .split_last_chunk::<4>()
            .ok_or(CursorError("the cursor is too short"))?;
        if crc32fast::hash(payload) != u32::from_be_bytes(*crc) {
            return Err(CursorError(
                "the cursor was cut or changed: send it back exactly as it was received",
            ));
        }
        let (version, message) = payload.split_first().ok_or(CursorError("the cursor is empty"))?;
        if *version != VERSION {
            return Err(CursorError(
                "the cursor is of a version that this service does not know",
            ));
        }
        let wire = Wire::decode(message).map_err(|_| CursorError("the cursor cannot be read"))?;
        Self::check(wire)
    }

    fn check(wire: Wire) -> Result<Self, CursorError> {
        let out_of_bounds = CursorError("the cursor names a place that no log has");
        let partitions = u16::try_from(wire.partitions)
            .ok()
            .filter(|p| (1..=super::partition::MAX_PARTITIONS).contains(p))
            .ok_or_else(|| out_of_bounds.clone())?;
        // Redis stream ids are 64-bit, but times beyond 2^53 ms cannot be: scores of the index are doubles.
        let plausible = |ms: u64| ms < (1 << 53);
        let mut positions = Vec::with_capacity(wire.positions.len());
        for position in wire.positions {
            let partition = u16::try_from(position.partition)
                .ok()
                .filter(|p| *p < partitions)
                .ok_or_else(|| out_of_bounds.clone())?;
            let ascending = positions.last().is_none_or(|(last, _)| *last < partition);
            if !ascending || !plausible(position.ms) {
                return Err(out_of_bounds);
            }
            let id = EntryId {
                epoch: position.epoch,
                ms: position.ms,
                n: position.n,
            };
            positions.push((partition, id));
        }
        if !plausible(wire.time_ms) {
            return Err(out_of_bounds);
        }
        Ok(Self {
            time_ms: wire.time_ms,
            partitions,
            positions,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursors() -> impl Strategy<Value = Cursor> {
        (0_u64..(1 << 53), 1_u16..=64).prop_flat_map(|(time_ms, partitions)| {
            prop::collection::btree_map(
                0..partitions,
                (any::<u64>(), 0_u64..(1 << 53), any::<u64>()),
                0..usize::from(partitions),
            )
            .prop_map(move |positions| Cursor {
                time_ms,
                partitions,
                positions: positions
                    .into_iter()
                    .map(|(p, (epoch, ms, n))| (p, EntryId { epoch, ms, n }))
                    .collect(),
            })
        })
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read_back(cursor in cursors()) {
            prop_assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        }

        #[test]
        fn any_changed_byte_is_refused(cursor in cursors(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
            let mut bytes = cursor.encode();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Cursor::decode(&bytes).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
            let _ = Cursor::decode(&bytes);
            bytes.insert(0, VERSION);
            bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
            let _ = Cursor::decode(&bytes);
        }
    }

    #[test]
    fn positions_of_another_partition_count_fall_back_to_the_time() {
        let cursor = Cursor {
            time_ms: 7,
            partitions: 16,
            positions: vec![(
                3,
                EntryId {
                    epoch: 1,
                    ms: 2,
                    n: 3,
                },
            )],
        };
        assert_eq!(cursor.position(3, 32), Position::Since(7));
        assert_eq!(cursor.position(2, 16), Position::Since(7));
        assert!(matches!(cursor.position(3, 16), Position::After(_)));
    }
}
