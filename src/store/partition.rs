//! Which partition a conversation belongs to, and where its keys lie in a Redis cluster.

use aws_lc_rs::digest::{SHA256, digest};
use crc::{CRC_16_XMODEM, Crc};

use crate::event::ConversationKey;

/// Slots of a Redis cluster.
const SLOTS: u32 = 16_384;

/// The most partitions that a log may have: a cursor that names them all must stay below its longest length.
pub const MAX_PARTITIONS: u16 = 128;

/// The partition of a conversation, out of `partitions`. Stored logs rely on it: never change it.
pub fn of(key: &ConversationKey, partitions: u16) -> u16 {
    let name = format!("{}\0{}", key.tenant, key.conversation);
    let hash = digest(&SHA256, name.as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&hash.as_ref()[..8]);
    let partition = u64::from_be_bytes(first) % u64::from(partitions.max(1));
    u16::try_from(partition).unwrap_or(0)
}

/// The hash tag of a partition, chosen so that the partitions spread evenly over a cluster's slots: partition p of P lies
/// in the p-th of P equal ranges. Stored logs rely on it: never change it.
pub fn hash_tag(partition: u16, partitions: u16) -> String {
    let range = |p: u16| u32::from(p) * SLOTS / u32::from(partitions.max(1));
    let (from, to) = (range(partition), range(partition + 1));
    (0_u32..)
        .map(|salt| format!("p{partition}-{salt}"))
        .find(|tag| (from..to).contains(&slot(tag)))
        .unwrap_or_default()
}

/// The slot of a hash tag (Redis cluster specification: CRC-16/XMODEM modulo 16384).
fn slot(tag: &str) -> u32 {
    const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);
    u32::from(CRC.checksum(tag.as_bytes())) % SLOTS
}
