//! Which partition a conversation belongs to, and where its keys lie in a Redis cluster.

use aws_lc_rs::digest::{SHA256, digest};
use crc::{CRC_16_XMODEM, Crc};

use super::StoreError;
use crate::event::ConversationKey;

/// Slots of a Redis cluster.
const SLOTS: u16 = 16_384;

/// The most partitions that a log may have: a cursor that names them all must stay below its longest length.
pub const MAX_PARTITIONS: u16 = 128;

/// Into how many shares a tenant's conversations fall, for the members of a shared subscription to split among them.
pub const SHARES: u16 = 256;

/// The partition of a conversation, out of `partitions`. Stored logs rely on it: never change it.
pub fn of(key: &ConversationKey, partitions: u16) -> u16 {
    let [first, _] = hash(key);
    remainder(first, partitions.max(1))
}

/// The share of a conversation. All conversations of a share lie in one partition, [`of_share`]. Stored positions rely on
/// it: never change it.
pub fn share(key: &ConversationKey, partitions: u16) -> u16 {
    let partitions = partitions.clamp(1, MAX_PARTITIONS);
    let [first, second] = hash(key);
    let partition = remainder(first, partitions);
    // Shares go round the partitions, so one that comes early may have one share more.
    let in_partition = (SHARES - partition).div_ceil(partitions);
    partition + partitions * remainder(second, in_partition)
}

/// The partition in which a share lies.
pub fn of_share(share: u16, partitions: u16) -> u16 {
    share % partitions.clamp(1, MAX_PARTITIONS)
}

/// What tells a conversation from any other, in few bytes. Stored cursors rely on it: never change it.
pub fn fingerprint(key: &ConversationKey) -> [u64; 2] {
    hash(key)
}

/// The partition of a conversation of which only its fingerprint is known.
pub fn of_fingerprint([first, _]: [u64; 2], partitions: u16) -> u16 {
    remainder(first, partitions.max(1))
}

/// Two numbers that have nothing to do with each other.
fn hash(key: &ConversationKey) -> [u64; 2] {
    let name = format!("{}\0{}", key.tenant, key.conversation);
    let hash = digest(&SHA256, name.as_bytes());
    [0, 8].map(|at| {
        let mut bytes = [0_u8; 8];
        bytes.copy_from_slice(&hash.as_ref()[at..at + 8]);
        u64::from_be_bytes(bytes)
    })
}

fn remainder(number: u64, divisor: u16) -> u16 {
    u16::try_from(number % u64::from(divisor)).unwrap_or(0)
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
    let range = |p: u16| u32::from(p) * u32::from(SLOTS) / u32::from(partitions.max(1));
    let (from, to) = (range(partition), range(partition + 1));
    (0_u32..)
        .map(|salt| format!("p{partition}-{salt}"))
        .find(|tag| (from..to).contains(&u32::from(slot(tag.as_bytes()))))
        .unwrap_or_default()
}

/// The slot of a hash tag (Redis cluster specification: CRC-16/XMODEM modulo 16384).
pub(super) fn slot(tag: &[u8]) -> u16 {
    const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);
    // The number of slots is a power of two.
    CRC.checksum(tag) & (SLOTS - 1)
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
        assert_eq!(slot(b"123456789"), 0x31C3 % SLOTS);
        assert_eq!(slot(b"foo"), 12182);
    }

    #[rstest]
    fn tags_lie_evenly_over_the_slots(#[values(1, 2, 3, 7, 16, 64, 128)] partitions: u16) {
        let width = f64::from(SLOTS) / f64::from(partitions);
        for partition in 0..partitions {
            let slot = f64::from(slot(hash_tag(partition, partitions).as_bytes()));
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

    #[rstest]
    fn a_share_lies_in_one_partition_and_all_shares_are_used(#[values(1, 3, 16, 100, 128)] partitions: u16) {
        let mut counts = [0_u32; SHARES as usize];
        for i in 0..25_600 {
            let key = key("tenant", &format!("conversation-{i}"));
            let share = share(&key, partitions);
            assert_eq!(of_share(share, partitions), of(&key, partitions));
            counts[usize::from(share)] += 1;
        }
        assert!(counts.iter().all(|n| (40..300).contains(n)), "{counts:?}");
    }

    #[rstest]
    #[case("tenant", "conversation", 16, 200)]
    #[case("a", "b", 7, 167)]
    fn stored_positions_rely_on_these(
        #[case] tenant: &str,
        #[case] conversation: &str,
        #[case] partitions: u16,
        #[case] expected: u16,
    ) {
        assert_eq!(share(&key(tenant, conversation), partitions), expected);
    }

    #[test]
    fn tenant_and_conversation_are_told_apart() {
        let differ =
            (0..64).any(|i| of(&key("a", &format!("b{i}")), 128) != of(&key("ab", &i.to_string()), 128));
        assert!(differ);
    }
}
