//! What happened in a run, and whether all that may happen did.

use std::io::Write as _;

use chatbridge::store::GapReason;

use super::reader::{Begin, Reader, Seen};

/// What happened in a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) steps: u64,
    pub(super) appends: u64,
    /// Deliveries that the log knew, and said so.
    pub(super) duplicates: u64,
    pub(super) forgeries: u64,
    /// Entries that occurred before another that their conversation had already.
    pub(super) reorders: u64,
    pub(super) streams: u64,
    /// Streams that went on from a cursor of an earlier one.
    pub(super) resumes: u64,
    pub(super) deliveries: u64,
    pub(super) gaps_trimmed: u64,
    pub(super) gaps_wiped: u64,
    pub(super) gaps_rewound: u64,
    /// Stalls of a reader in which more was appended than waits for a subscriber.
    pub(super) long_stalls: u64,
    pub(super) breaks: u64,
    pub(super) trims: u64,
    pub(super) wipes: u64,
    pub(super) rewinds: u64,
    /// Entries that were erased.
    pub(super) erased: u64,
    /// Replicas that claim an event's id with the append, and such as do it apart.
    pub(super) claim_with_append: u64,
    pub(super) claim_apart: u64,
}

impl Report {
    /// Counts what readers got.
    pub(super) fn count(&mut self, readers: &[Reader]) {
        for stream in readers.iter().flat_map(|reader| &reader.streams) {
            self.resumes += u64::from(matches!(stream.begin, Begin::Mark { .. }));
            self.deliveries += stream.seen.len() as u64;
            for seen in &stream.seen {
                if let Seen::Gap(gap, ..) = seen {
                    match gap.reason {
                        GapReason::Trimmed => self.gaps_trimmed += 1,
                        GapReason::Wiped => self.gaps_wiped += 1,
                        GapReason::Rewound => self.gaps_rewound += 1,
                    }
                }
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.appends += other.appends;
        self.duplicates += other.duplicates;
        self.forgeries += other.forgeries;
        self.reorders += other.reorders;
        self.streams += other.streams;
        self.resumes += other.resumes;
        self.deliveries += other.deliveries;
        self.gaps_trimmed += other.gaps_trimmed;
        self.gaps_wiped += other.gaps_wiped;
        self.gaps_rewound += other.gaps_rewound;
        self.long_stalls += other.long_stalls;
        self.breaks += other.breaks;
        self.trims += other.trims;
        self.wipes += other.wipes;
        self.rewinds += other.rewinds;
        self.erased += other.erased;
        self.claim_with_append += other.claim_with_append;
        self.claim_apart += other.claim_apart;
    }

    /// What never happened, of what happens in a run of the usual length; `losses`: the log loses something; `claims`: ids
    /// are claimed in either way. A promise that nothing tried was not shown to be kept.
    pub(super) fn never(&self, losses: bool, claims: bool) -> Vec<&'static str> {
        let always = [
            ("duplicates", self.duplicates),
            ("forgeries", self.forgeries),
            ("reorders", self.reorders),
            ("resumes", self.resumes),
            ("deliveries", self.deliveries),
            ("long stalls", self.long_stalls),
            ("breaks", self.breaks),
            ("erasures", self.erased),
        ];
        let of_losses = [
            ("trims", self.trims),
            ("wipes", self.wipes),
            ("rewinds", self.rewinds),
            ("gaps by a trim", self.gaps_trimmed),
            ("gaps by a wipe", self.gaps_wiped),
            ("gaps by a rewind", self.gaps_rewound),
        ];
        let of_claims = [
            ("claims with the append", self.claim_with_append),
            ("claims apart from it", self.claim_apart),
        ];
        let all = always.into_iter();
        let all = all.chain(of_losses.into_iter().filter(|_| losses));
        let all = all.chain(of_claims.into_iter().filter(|_| claims));
        all.filter(|(_, count)| *count == 0)
            .map(|(what, _)| what)
            .collect()
    }
}

/// Tells whoever runs the tests, at once and past their harness: that shows nothing of a test that hangs or passes.
pub(super) fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "checker: {what}");
}
