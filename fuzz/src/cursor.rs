//! Cursors. Input: a cursor, and once more a cursor without its checksum, since no mutation gets a checksum right.
//!
//! What is taken is in bounds and is encoded as the same place again; a cursor of which one bit was changed is refused.

use chatbridge::store::{
    cursor::{Cursor, LANES_MAX, MAX_BYTES},
    partition::{MAX_PARTITIONS, SHARES},
};

const TIME_MAX: u64 = 1 << 53;

/// Checks one input.
pub fn check(input: &[u8]) {
    taken_or_refused(input);
    let sealed = [input, &crc32fast::hash(input).to_be_bytes()].concat();
    if taken_or_refused(&sealed) {
        changed(sealed);
    }
}

/// Whether it is taken for a cursor.
fn taken_or_refused(bytes: &[u8]) -> bool {
    let plain = Cursor::decode(bytes);
    match Cursor::decode_marked(bytes) {
        Ok((cursor, mark)) => {
            assert_eq!(plain.as_ref(), Ok(&cursor), "a mark changes no place");
            assert!(bytes.len() <= MAX_BYTES);
            in_bounds(&cursor);
            let again = match &mark {
                Some(mark) => {
                    assert!(mark.share.is_none_or(|share| share < SHARES));
                    cursor.encode_marked(mark)
                }
                None => cursor.encode(),
            };
            assert!(
                again.len() <= bytes.len(),
                "what is given out is as short as can be"
            );
            assert_eq!(Cursor::decode_marked(&again), Ok((cursor, mark)));
        }
        // Its places may be good where its mark is not.
        Err(_) => {
            if let Ok(cursor) = &plain {
                in_bounds(cursor);
            }
        }
    }
    plain.is_ok()
}

fn in_bounds(cursor: &Cursor) {
    assert!((1..=MAX_PARTITIONS).contains(&cursor.partitions));
    assert!(cursor.time_ms < TIME_MAX && cursor.lanes.len() <= LANES_MAX);
    assert!(cursor.positions.is_sorted_by(|(a, _), (b, _)| a < b));
    for (partition, id) in &cursor.positions {
        assert!(*partition < cursor.partitions && id.ms < TIME_MAX);
    }
    for partition in 0..cursor.partitions {
        let _ = cursor.position(partition, cursor.partitions);
        let _ = cursor.position(partition, cursor.partitions + 1);
    }
    assert_eq!(cursor.clone().without_lanes().is_ok(), cursor.lanes.is_empty());
}

/// A cursor that was mangled on its way is refused. Which bit is changed depends on the cursor.
fn changed(mut bytes: Vec<u8>) {
    let bit = crc32fast::hash(&bytes[..bytes.len() - 4]) as usize % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    assert!(Cursor::decode(&bytes).is_err() && Cursor::decode_marked(&bytes).is_err());
}
