//! Which member of a shared subscription should hold which shares.
//!
//! Every member computes it for itself from the same roster. Where two do so from rosters of different moments, they may want
//! the same share; whose it is, its lease decides.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};

use crate::store::partition::SHARES;

/// The shares that each member should hold. All shares are somebody's, and no member has two more than another.
///
/// Rendezvous hashing: each pair of a member and a share has a weight that depends on nothing else, and the heaviest pairs
/// are made first, as far as the member has room. So a member that joins or leaves moves few shares besides its own.
pub(super) fn assign<'a>(members: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, BTreeSet<u16>> {
    let mut assigned: BTreeMap<&str, BTreeSet<u16>> = members
        .into_iter()
        .map(|member| (member, BTreeSet::new()))
        .collect();
    let Some(room) = usize::from(SHARES).checked_div(assigned.len()) else {
        return assigned;
    };
    let mut pairs: Vec<(u64, u16, &str)> = assigned
        .keys()
        .flat_map(|member| {
            let seed = seed(member);
            (0..SHARES).map(move |share| (weight(seed, share), share, *member))
        })
        .collect();
    pairs.sort_unstable_by(|a, b| b.cmp(a));
    let mut free: BTreeSet<u16> = (0..SHARES).collect();
    // First as many to each as all can have, then one more to some, until none is left.
    for room in [room, room + 1] {
        for (_, share, member) in &pairs {
            if let Some(shares) = assigned.get_mut(member)
                && shares.len() < room
                && free.remove(share)
            {
                shares.insert(*share);
            }
        }
    }
    assigned
}

fn seed(member: &str) -> u64 {
    let hash = digest(&SHA256, member.as_bytes());
    hash.as_ref()
        .first_chunk()
        .map_or(0, |first| u64::from_be_bytes(*first))
}

/// The finaliser of SplitMix64, which spreads neighbouring numbers. Replicas of different versions must agree: never
/// change it.
fn weight(seed: u64, share: u16) -> u64 {
    let mut x = seed ^ (u64::from(share) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owners<'a>(assigned: &BTreeMap<&'a str, BTreeSet<u16>>) -> BTreeMap<u16, &'a str> {
        let pairs = assigned
            .iter()
            .flat_map(|(member, shares)| shares.iter().map(|share| (*share, *member)));
        pairs.collect()
    }

    fn names() -> impl Strategy<Value = BTreeSet<String>> {
        prop::collection::btree_set("[0-9a-f]{16}", 1..40)
    }

    proptest! {
        #[test]
        fn every_share_has_one_owner_and_nobody_has_two_more_than_another(names in names()) {
            let assigned = assign(names.iter().map(String::as_str));
            let counts: Vec<usize> = assigned.values().map(BTreeSet::len).collect();
            prop_assert_eq!(counts.iter().sum::<usize>(), usize::from(SHARES));
            prop_assert_eq!(owners(&assigned).len(), usize::from(SHARES));
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{counts:?}");
        }

        #[test]
        fn the_order_of_the_roster_does_not_matter(names in names()) {
            prop_assert_eq!(
                assign(names.iter().map(String::as_str)),
                assign(names.iter().rev().map(String::as_str))
            );
        }

        #[test]
        fn one_who_joins_or_leaves_moves_few_shares(names in names(), joins in "[0-9a-f]{16}") {
            prop_assume!(!names.contains(&joins));
            let before = assign(names.iter().map(String::as_str));
            let after = assign(names.iter().map(String::as_str).chain([joins.as_str()]));
            let (before, after) = (owners(&before), owners(&after));
            let moved = before.iter().filter(|(share, owner)| after[share] != **owner).count();
            // At the least its own must move. To keep the balance others do, too: of few members few, of many some.
            let own = usize::from(SHARES).div_ceil(names.len() + 1);
            prop_assert!(moved <= 2 * own + 64, "{moved} moved, {own} are its own, {} members", names.len());
        }
    }

    #[test]
    fn nobody_gets_nothing_and_many_get_one_each() {
        assert!(assign([]).is_empty());
        assert_eq!(assign(["a"])["a"].len(), 256);
        let names: Vec<String> = (0..300).map(|i| format!("member-{i}")).collect();
        let assigned = assign(names.iter().map(String::as_str));
        assert_eq!(assigned.values().filter(|shares| shares.len() == 1).count(), 256);
    }

    #[test]
    fn replicas_of_other_versions_rely_on_this() {
        let assigned = assign(["0123456789abcdef", "fedcba9876543210", "00000000deadbeef"]);
        let firsts: Vec<u16> = assigned.values().map(|shares| *shares.first().unwrap()).collect();
        assert_eq!(firsts, PINNED);
    }

    const PINNED: [u16; 3] = [1, 0, 2];
}
