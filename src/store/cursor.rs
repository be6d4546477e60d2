//! A cursor: a place in every partition that a stream reads, as one opaque value.
//!
//! Layout: one version byte, a protobuf message, and the CRC-32 of all before it (big-endian), which catches values that
//! were cut or mangled on their way. A cursor carries no authority.
//!
//! One that has lanes is of version 2, so that a service which knows nothing of them refuses it rather than skips what they
//! stand for.

use bytes::{BufMut, Bytes, BytesMut};
use prost::{Message, encoding::encode_varint};

use crate::event::{EntryId, Position};

/// The longest cursor that is accepted, in bytes.
pub const MAX_BYTES: usize = 4096;

/// Length of the checksum at the end.
const CRC_BYTES: usize = 4;
const VERSION: u8 = 1;
const VERSION_WITH_LANES: u8 = 2;

/// The most lanes that a cursor may have: with places in all the partitions that a log may have, it stays below
/// [`MAX_BYTES`].
pub const LANES_MAX: usize = 5;

/// A place in every partition that a stream reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Store time of its making, Unix milliseconds. Partitions without a position are read from here.
    pub time_ms: u64,
    /// How many partitions the log had; positions mean nothing for another number.
    pub partitions: u16,
    /// Position by partition, sorted.
    pub positions: Vec<(u16, EntryId)>,
    /// Conversations that are at another place than their partition, at most [`LANES_MAX`].
    pub lanes: Vec<Lane>,
}

/// A conversation that was added to a stream, and is at another place than the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    /// Which, as [`super::partition::fingerprint`] has it: identifiers may be long, and cursors may not.
    pub conversation: [u64; 2],
    /// Where it is read on.
    pub at: Position,
}

/// What makes a cursor that of a named subscription's response, beside its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The subscription, as drawn when it was created.
    pub subscription: u64,
    /// The share that it belongs to; `None`: the whole subscription.
    pub share: Option<u16>,
    /// Generation of the owner it was delivered to; 0: there is nothing to commit.
    pub generation: u64,
    /// Number of the delivery within that generation, from 1.
    pub seq: u64,
}

/// Why bytes are not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CursorError(&'static str);

impl CursorError {
    /// Bytes that are a cursor, but not one that can be used here.
    pub fn new(problem: &'static str) -> Self {
        Self(problem)
    }
}

#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(uint64, tag = "1")]
    time_ms: u64,
    #[prost(uint32, tag = "2")]
    partitions: u32,
    #[prost(message, repeated, tag = "3")]
    positions: Vec<WirePosition>,
    #[prost(message, repeated, tag = "4")]
    lanes: Vec<WireLane>,
    #[prost(message, optional, tag = "100")]
    mark: Option<WireMark>,
}

/// Without `n`: since `ms`, and without that from the earliest.
#[derive(Clone, PartialEq, Message)]
struct WireLane {
    #[prost(fixed64, tag = "1")]
    high: u64,
    #[prost(fixed64, tag = "2")]
    low: u64,
    #[prost(uint64, tag = "3")]
    epoch: u64,
    #[prost(uint64, optional, tag = "4")]
    ms: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    n: Option<u64>,
}

impl From<&Lane> for WireLane {
    fn from(lane: &Lane) -> Self {
        let [high, low] = lane.conversation;
        let (epoch, ms, n) = match lane.at {
            Position::Earliest => (0, None, None),
            Position::Since(ms) => (0, Some(ms), None),
            Position::After(id) => (id.epoch, Some(id.ms), Some(id.n)),
        };
        Self {
            high,
            low,
            epoch,
            ms,
            n,
        }
    }
}

impl From<WireLane> for Lane {
    fn from(wire: WireLane) -> Self {
        let at = match (wire.ms, wire.n) {
            (None, _) => Position::Earliest,
            (Some(ms), None) => Position::Since(ms),
            (Some(ms), Some(n)) => Position::After(EntryId {
                epoch: wire.epoch,
                ms,
                n,
            }),
        };
        Self {
            conversation: [wire.high, wire.low],
            at,
        }
    }
}

fn put_number(buf: &mut BytesMut, tag: u8, number: u64) {
    // A tag's byte is its number and the wire type, which is 0 for numbers. As in any encoder, a zero is left out.
    if number != 0 {
        buf.put_u8(tag << 3);
        encode_varint(number, buf);
    }
}

/// Encodes places as a cursor. By hand and in one piece, since a stream that catches up needs one for each event.
pub fn encode(
    time_ms: u64,
    partitions: u64,
    places: impl Iterator<Item = (u16, EntryId)>,
    lanes: &[Lane],
) -> Bytes {
    const LENGTH_DELIMITED: u8 = 2;
    let mut bytes = BytesMut::with_capacity(48 + 32 * places.size_hint().0);
    bytes.put_u8(if lanes.is_empty() {
        VERSION
    } else {
        VERSION_WITH_LANES
    });
    put_number(&mut bytes, 1, time_ms);
    put_number(&mut bytes, 2, partitions);
    for (partition, id) in places {
        bytes.put_u8((3 << 3) | LENGTH_DELIMITED);
        let at = bytes.len();
        // No place takes as much as 128 bytes, so its length is one byte.
        bytes.put_u8(0);
        put_number(&mut bytes, 1, partition.into());
        put_number(&mut bytes, 2, id.epoch);
        put_number(&mut bytes, 3, id.ms);
        put_number(&mut bytes, 4, id.n);
        bytes[at] = u8::try_from(bytes.len() - at - 1).unwrap_or(0);
    }
    for lane in lanes {
        let lane = WireLane::from(lane);
        prost::encoding::message::encode(4, &lane, &mut bytes);
    }
    let crc = crc32fast::hash(&bytes);
    bytes.put_u32(crc);
    bytes.freeze()
}

#[derive(Clone, PartialEq, Message)]
struct WireMark {
    #[prost(fixed64, tag = "1")]
    subscription: u64,
    /// 0: none; else the share and 1.
    #[prost(uint32, tag = "2")]
    share: u32,
    #[prost(uint64, tag = "3")]
    generation: u64,
    #[prost(uint64, tag = "4")]
    seq: u64,
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
            lanes: Vec::new(),
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
        let places = self.positions.iter().copied();
        encode(self.time_ms, self.partitions.into(), places, &self.lanes).into()
    }

    /// The opaque bytes as a named subscription's responses carry them. Where a stream without a subscription starts from them,
    /// only the places count.
    pub fn encode_marked(&self, mark: &Mark) -> Vec<u8> {
        let mark = WireMark {
            subscription: mark.subscription,
            share: mark.share.map_or(0, |share| u32::from(share) + 1),
            generation: mark.generation,
            seq: mark.seq,
        };
        let mut bytes = self.encode();
        bytes.truncate(bytes.len() - CRC_BYTES);
        prost::encoding::message::encode(100, &mark, &mut bytes);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    /// The same, for whoever cannot read conversations from places of their own.
    pub fn without_lanes(self) -> Result<Self, CursorError> {
        if self.lanes.is_empty() {
            return Ok(self);
        }
        Err(CursorError(
            "the cursor is of a stream to which conversations were just added: take one of a later response",
        ))
    }

    /// Reads opaque bytes, which may come from anybody.
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        Self::check(Self::read(bytes)?)
    }

    /// As [`Cursor::decode`], with what makes it a named subscription's, if it is one.
    pub fn decode_marked(bytes: &[u8]) -> Result<(Self, Option<Mark>), CursorError> {
        let wire = Self::read(bytes)?;
        let mark = wire.mark.as_ref().map(WireMark::check).transpose()?;
        Ok((Self::check(wire)?, mark))
    }

    fn read(bytes: &[u8]) -> Result<Wire, CursorError> {
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
        if ![VERSION, VERSION_WITH_LANES].contains(version) {
            return Err(CursorError(
                "the cursor is of a version that this service does not know",
            ));
        }
        Wire::decode(message).map_err(|_| CursorError("the cursor cannot be read"))
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
        let far = wire.lanes.iter().any(|lane| !plausible(lane.ms.unwrap_or(0)));
        if !plausible(wire.time_ms) || far || wire.lanes.len() > LANES_MAX {
            return Err(out_of_bounds);
        }
        Ok(Self {
            time_ms: wire.time_ms,
            partitions,
            positions,
            lanes: wire.lanes.into_iter().map(Lane::from).collect(),
        })
    }
}

impl WireMark {
    fn check(&self) -> Result<Mark, CursorError> {
        let share = match self.share {
            0 => None,
            number => Some(
                u16::try_from(number - 1)
                    .ok()
                    .filter(|share| *share < super::partition::SHARES)
                    .ok_or(CursorError("the cursor names a share that no subscription has"))?,
            ),
        };
        Ok(Mark {
            subscription: self.subscription,
            share,
            generation: self.generation,
            seq: self.seq,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lanes() -> impl Strategy<Value = Vec<Lane>> {
        let id = (any::<u64>(), 0_u64..(1 << 53), any::<u64>());
        let at = prop_oneof![
            Just(Position::Earliest),
            (0_u64..(1 << 53)).prop_map(Position::Since),
            id.prop_map(|(epoch, ms, n)| Position::After(EntryId { epoch, ms, n })),
        ];
        let lane = (any::<[u64; 2]>(), at).prop_map(|(conversation, at)| Lane { conversation, at });
        prop::collection::vec(lane, 0..=LANES_MAX)
    }

    fn cursors() -> impl Strategy<Value = Cursor> {
        (0_u64..(1 << 53), 1_u16..=64, lanes()).prop_flat_map(|(time_ms, partitions, lanes)| {
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
                lanes: lanes.clone(),
            })
        })
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read_back(cursor in cursors()) {
            prop_assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        }

        #[test]
        fn what_is_encoded_by_hand_is_protobuf(cursor in cursors()) {
            let position = |(partition, id): &(u16, EntryId)| WirePosition {
                partition: u32::from(*partition),
                epoch: id.epoch,
                ms: id.ms,
                n: id.n,
            };
            let wire = Wire {
                time_ms: cursor.time_ms,
                partitions: cursor.partitions.into(),
                positions: cursor.positions.iter().map(position).collect(),
                lanes: cursor.lanes.iter().map(WireLane::from).collect(),
                mark: None,
            };
            let bytes = cursor.encode();
            prop_assert_eq!(&bytes[1..bytes.len() - 4], wire.encode_to_vec());
            prop_assert_eq!(bytes[0] == VERSION, cursor.lanes.is_empty());
        }

        #[test]
        fn a_mark_is_read_back_and_left_out(
            cursor in cursors(),
            (subscription, generation, seq) in any::<(u64, u64, u64)>(),
            share in prop::option::of(0_u16..256),
        ) {
            let mark = Mark { subscription, share, generation, seq };
            let bytes = cursor.encode_marked(&mark);
            prop_assert_eq!(Cursor::decode_marked(&bytes).unwrap(), (cursor.clone(), Some(mark)));
            let plain = cursor.encode();
            prop_assert_eq!(Cursor::decode_marked(&plain).unwrap(), (cursor.clone(), None));
            prop_assert_eq!(Cursor::decode(&bytes).unwrap(), cursor);
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
            bytes.insert(0, VERSION_WITH_LANES);
            bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
            let _ = Cursor::decode_marked(&bytes);
        }
    }

    #[test]
    fn the_longest_cursor_of_a_subscription_is_accepted() {
        let partitions = super::super::partition::MAX_PARTITIONS;
        let id = EntryId {
            epoch: u64::MAX,
            ms: 1 << 42,
            n: 1 << 34,
        };
        let cursor = Cursor {
            time_ms: 1 << 42,
            partitions,
            positions: (0..partitions).map(|p| (p, id)).collect(),
            lanes: Vec::new(),
        };
        let bytes = cursor.encode_marked(&Mark {
            subscription: u64::MAX,
            share: Some(255),
            generation: 1 << 42,
            seq: u64::MAX,
        });
        assert!(bytes.len() <= MAX_BYTES, "{}", bytes.len());
        assert!(Cursor::decode_marked(&bytes).is_ok());
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
            lanes: Vec::new(),
        };
        assert_eq!(cursor.position(3, 32), Position::Since(7));
        assert_eq!(cursor.position(2, 16), Position::Since(7));
        assert!(matches!(cursor.position(3, 16), Position::After(_)));
    }

    #[test]
    fn the_largest_cursor_is_accepted() {
        let id = EntryId {
            epoch: u64::MAX,
            // In the year 2109; and more entries than a partition gets until then.
            ms: (1 << 42) - 1,
            n: (1 << 42) - 1,
        };
        let cursor = Cursor {
            time_ms: (1 << 53) - 1,
            partitions: super::super::partition::MAX_PARTITIONS,
            positions: (0..super::super::partition::MAX_PARTITIONS)
                .map(|p| (p, id))
                .collect(),
            lanes: vec![
                Lane {
                    conversation: [u64::MAX; 2],
                    at: Position::After(id),
                };
                LANES_MAX
            ],
        };
        let bytes = cursor.encode();
        assert_eq!(Cursor::decode(&bytes), Ok(cursor), "{} bytes", bytes.len());
    }

    #[test]
    fn a_cursor_of_the_first_version_is_still_read() {
        // As it was written before there were lanes.
        let mut old = vec![1, 8, 7, 16, 16, 26, 8, 8, 3, 16, 1, 24, 2, 32, 3];
        old.extend(crc32fast::hash(&old).to_be_bytes());
        let cursor = Cursor::decode(&old).unwrap();
        assert_eq!((cursor.time_ms, cursor.partitions, cursor.lanes), (7, 16, vec![]));
        let id = EntryId {
            epoch: 1,
            ms: 2,
            n: 3,
        };
        assert_eq!(cursor.positions, [(3, id)]);
    }
}
