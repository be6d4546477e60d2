//! Which partition a conversation belongs to, and where its keys lie in a Redis cluster.

use aws_lc_rs::digest::{SHA256, digest};
use crc::{CRC_16_XMODEM, Crc};

use super::StoreError;
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

/// Refuses a partition that a log does not have.
pub(super) fn check(partition: u16, partitions: u16) -> Result<(), StoreError> {
    if partition < partitions {
        return Ok(());
    }
    Err(StoreError::Mismatch(format!(
        "the log has {partitions} partitions, and number {partition} was asked for"
    )))
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::event::TenantId;

    fn key(tenant: &str, conversation: &str) -> ConversationKey {
        ConversationKey::new(TenantId::new(tenant), conversation)
    }

    #[rstest]
    #[case("tenant", "conversation", 16, 8)]
    #[case("tenant", "", 16, 8)]
    #[case("a", "b", 16, 3)]
    #[case("a", "b", 7, 6)]
    #[case("a", "b", 1, 0)]
    fn stored_logs_rely_on_these(
        #[case] tenant: &str,
        #[case] conversation: &str,
        #[case] partitions: u16,
        #[case] expected: u16,
    ) {
        assert_eq!(of(&key(tenant, conversation), partitions), expected);
    }

    #[rstest]
    #[case(0, 16, "p0-0")]
    #[case(5, 16, "p5-42")]
    #[case(15, 16, "p15-1")]
    fn stored_logs_rely_on_these_tags(
        #[case] partition: u16,
        #[case] partitions: u16,
        #[case] expected: &str,
    ) {
        assert_eq!(hash_tag(partition, partitions), expected);
    }

    #[test]
    fn slots_are_those_of_the_cluster_specification() {
        assert_eq!(slot("123456789"), 0x31C3 % SLOTS);
        assert_eq!(slot("foo"), 12182);
    }

    #[rstest]
    fn tags_lie_evenly_over_the_slots(#[values(1, 2, 3, 7, 16, 64, 128)] partitions: u16) {
        let width = f64::from(SLOTS) / f64::from(partitions);
        for partition in 0..partitions {
            let slot = f64::from(slot(&hash_tag(partition, partitions)));
            let from = (f64::from(partition) * width).floor();
            let to = (f64::from(partition + 1) * width).floor();
            assert!(
                (from..to).contains(&slot),
                "partition {partition} of {partitions}"
            );
        }
    }

    #[test]
    fn conversations_spread_evenly() {
        let mut counts = [0_u32; 16];
        for i in 0..16_000 {
            counts[usize::from(of(&key("tenant", &format!("conversation-{i}")), 16))] += 1;
        }
        assert!(counts.iter().all(|n| (850..1150).contains(n)), "{counts:?}");
    }

    #[test]
    fn tenant_and_conversation_are_told_apart() {
        let differ =
            (0..64).any(|i| of(&key("a", &format!("b{i}")), 128) != of(&key("ab", &i.to_string()), 128));
        assert!(differ);
    }
}
