//! The checker finds what it is there to find.

#![allow(clippy::print_stdout, reason = "a test says what it found")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rand::{SeedableRng as _, rngs::StdRng};
use rstest::rstest;

use super::{
    RECOVERS_WITHIN, WORLD_STEPS, from_environment,
    planted::{self, Planted},
    run_in_memory, run_on_redis,
    tap::{self, Trick},
    violation::{
        Kind::{self, *},
        Violation,
    },
};

/// Where a fault is planted.
#[derive(Debug, Clone, Copy)]
enum Fault {
    InStore(planted::Fault),
    InSubscriber(tap::Fault),
}

/// A fault in every replica or every subscriber of a run.
pub(super) struct Mutant {
    fault: Fault,
    /// As what it is found.
    expected: Vec<Kind>,
    seed: u64,
    shown: Arc<AtomicU32>,
}

impl Mutant {
    fn new(fault: Fault, expected: &[Kind], seed: u64) -> Self {
        Self {
            fault,
            expected: expected.to_vec(),
            seed,
            shown: Arc::default(),
        }
    }

    fn is_found(&self, problem: &Violation, steps: u64) {
        let Self {
            fault,
            expected,
            seed,
            ..
        } = self;
        println!("{fault:?}, seed {seed}, after {steps} steps of others: {problem}");
        assert!(
            self.shown.load(Ordering::Relaxed) > 0,
            "it never showed: {problem}"
        );
        assert!(
            expected.contains(&problem.kind),
            "expected {expected:?}: {problem}"
        );
    }

    /// Whether it shows only where the log loses something. All others are found, by their own name, where it does not.
    pub(super) fn needs_losses(&self) -> bool {
        matches!(
            self.fault,
            Fault::InStore(planted::Fault::HideGap) | Fault::InSubscriber(tap::Fault::HideGap)
        )
    }

    /// How long what a reader must get may stop coming. Where that is how the fault shows, not so long, since it stops for
    /// good. Where it shows otherwise, a reader that only has to wait for the machine must not be taken for it.
    pub(super) fn limit(&self) -> Duration {
        if self.expected.contains(&Lost) {
            Duration::from_secs(5)
        } else if self.expected.contains(&GapNotTold) {
            Duration::from_secs(20)
        } else {
            RECOVERS_WITHIN
        }
    }

    pub(super) fn planted(&self) -> Option<Arc<Planted>> {
        let Fault::InStore(fault) = self.fault else {
            return None;
        };
        Some(Arc::new(Planted {
            fault,
            chance: Mutex::new(StdRng::seed_from_u64(self.seed)),
            shown: Arc::clone(&self.shown),
        }))
    }

    pub(super) fn trick(&self) -> Option<Trick> {
        let Fault::InSubscriber(fault) = self.fault else {
            return None;
        };
        Some(Trick {
            fault,
            chance: Arc::new(Mutex::new(StdRng::seed_from_u64(self.seed))),
            shown: Arc::clone(&self.shown),
        })
    }
}

/// Within how many steps each must be found.
const STEPS: u64 = 40_000;

#[rstest]
#[case::no_dedupe(Fault::InStore(planted::Fault::NoDedupe), &[Doubled])]
#[case::forgery_accepted(Fault::InStore(planted::Fault::AcceptForgery), &[ForgeryAccepted])]
#[case::accepted_and_lost(Fault::InStore(planted::Fault::LoseAccepted), &[NotInLog, Doubled])]
#[case::one_skipped_by_the_feed(Fault::InStore(planted::Fault::SkipLive), &[Lost])]
#[case::two_swapped_by_the_feed(Fault::InStore(planted::Fault::SwapLive), &[Lost])]
#[case::feed_falls_silent(Fault::InStore(planted::Fault::Silence), &[Lost, GapNotTold])]
#[case::one_skipped_by_a_read(Fault::InStore(planted::Fault::SkipRead), &[Lost])]
#[case::two_swapped_by_a_read(Fault::InStore(planted::Fault::SwapRead), &[Reordered])]
#[case::live_before_the_catch_up_ended(Fault::InStore(planted::Fault::EndEarly), &[Lost])]
#[case::gap_not_told_by_the_log(Fault::InStore(planted::Fault::HideGap), &[GapNotTold, Repeated])]
#[case::gap_made_up(Fault::InStore(planted::Fault::InventGap), &[GapUntrue])]
#[case::bytes_altered(Fault::InStore(planted::Fault::Alter), &[Altered])]
#[case::one_repeated(Fault::InSubscriber(tap::Fault::Repeat), &[Repeated])]
#[case::two_swapped(Fault::InSubscriber(tap::Fault::Swap), &[Reordered])]
#[case::one_skipped(Fault::InSubscriber(tap::Fault::Skip), &[Lost])]
#[case::cursor_ahead(Fault::InSubscriber(tap::Fault::CursorAhead), &[Lost])]
#[case::cursor_behind(Fault::InSubscriber(tap::Fault::CursorBehind), &[Repeated])]
#[case::gap_not_told(Fault::InSubscriber(tap::Fault::HideGap), &[GapNotTold])]
fn a_fault_is_found(#[case] fault: Fault, #[case] expected: &[Kind]) {
    let first = from_environment("CHECKER_SEED").unwrap_or(1);
    let (mut world, mut steps) = (first, 0);
    while steps < STEPS {
        let mutant = Mutant::new(fault, expected, world);
        match run_in_memory(world, WORLD_STEPS, Some(&mutant)) {
            Ok(report) => steps += report.steps,
            Err(problem) => return mutant.is_found(&problem, steps),
        }
        world += 1;
    }
    panic!("{fault:?} was not found in {steps} steps");
}

#[rstest]
#[case::no_dedupe(planted::Fault::NoDedupe, &[Doubled])]
#[case::one_skipped_by_the_feed(planted::Fault::SkipLive, &[Lost])]
#[case::two_swapped_by_a_read(planted::Fault::SwapRead, &[Reordered])]
#[case::gap_not_told_by_the_log(planted::Fault::HideGap, &[GapNotTold, Repeated])]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_is_found_on_redis(#[case] fault: planted::Fault, #[case] expected: &[Kind]) {
    const WORLDS: u64 = 6;
    let first = from_environment("CHECKER_SEED").unwrap_or(1);
    for n in 0..WORLDS {
        let mutant = Mutant::new(Fault::InStore(fault), expected, first + n);
        let losses = mutant.needs_losses();
        let Err(problem) = run_on_redis(first + n, WORLD_STEPS, losses, Some(&mutant)).await else {
            continue;
        };
        return mutant.is_found(&problem, n * WORLD_STEPS);
    }
    panic!("{fault:?} was not found in {WORLDS} worlds");
}
