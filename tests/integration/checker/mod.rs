//! The checker: random worlds of writers, replicas and readers, held against a model of the log.
//!
//! Writers append events, some again, some forged, in any order of occurrence. Readers open streams on any replica, stall,
//! leave, and come back with a cursor, perhaps elsewhere and with another filter. Feeds break, reads fail, the log is
//! trimmed, wiped and rewound. Whatever happens: nothing is lost, doubled, reordered or made up, and what is gone is told.
//!
//! | | |
//! | --- | --- |
//! | `plan` | what is written and asked for, at random |
//! | `offers` | what was offered to the log, and what it answered |
//! | `truth` | what the log is and was, read past what is under test |
//! | `reader`, `tap`, `replica` | the streams; all that is known here of `fanout` |
//! | `walk`, `judge` | what each stream must have been given |
//! | `warped` | a replica's way to the store: feeds break, reads fail |
//! | `in_memory` | runs that a seed repeats |
//! | `in_redis` | runs on a real Redis, with everything at once |
//! | `planted`, `tap`, `mutants` | faults that the checker must find |
//!
//! `CHECKER_SEED` and `CHECKER_STEPS` repeat a run, or make it longer. On the store in memory the same seed gives the same
//! run. On Redis it gives the same choices, but tasks, network and clock go their own way.

mod in_memory;
mod in_redis;
mod judge;
mod mutants;
mod offers;
mod plan;
mod planted;
mod reader;
mod replica;
mod tap;
mod truth;
mod violation;
mod walk;
mod warped;

use std::time::Instant;

use rstest::rstest;

use self::{
    mutants::Mutant,
    reader::{Reader, Seen},
};

/// Steps of one world: short enough to be looked through when it fails.
const WORLD_STEPS: u64 = 4_000;

/// What happened in a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    steps: u64,
    appends: u64,
    forgeries: u64,
    streams: u64,
    deliveries: u64,
    gaps: u64,
    /// Stalls of a reader in which more was appended than waits for a subscriber.
    long_stalls: u64,
    breaks: u64,
    trims: u64,
    wipes: u64,
    rewinds: u64,
}

impl Report {
    /// Counts what readers got.
    fn count(&mut self, readers: &[Reader]) {
        for stream in readers.iter().flat_map(|reader| &reader.streams) {
            let gaps = stream.seen.iter().filter(|seen| matches!(seen, Seen::Gap(..)));
            self.gaps += gaps.count() as u64;
            self.deliveries += stream.seen.len() as u64;
        }
    }

    fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.appends += other.appends;
        self.forgeries += other.forgeries;
        self.streams += other.streams;
        self.deliveries += other.deliveries;
        self.gaps += other.gaps;
        self.long_stalls += other.long_stalls;
        self.breaks += other.breaks;
        self.trims += other.trims;
        self.wipes += other.wipes;
        self.rewinds += other.rewinds;
    }
}

/// Steps of one world on Redis.
const REDIS_WORLD_STEPS: u64 = 12_500;

/// A number from the environment.
fn from_environment(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is not a number: {value:?}")),
    )
}

/// A runtime on which time passes only where everybody waits.
fn run_in_memory(seed: u64, steps: u64, mutant: Option<&Mutant>) -> violation::Checked<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(in_memory::run(seed, steps, mutant))
}

#[test]
fn no_promise_is_broken_in_memory() {
    let seed = from_environment("CHECKER_SEED").unwrap_or_else(rand::random);
    let steps = from_environment("CHECKER_STEPS").unwrap_or(100_000);
    let (began, mut total) = (Instant::now(), Report::default());
    let mut world = seed;
    while total.steps < steps {
        let budget = WORLD_STEPS.min(steps - total.steps);
        match run_in_memory(world, budget, None) {
            Ok(report) => total.add(&report),
            Err(problem) => panic!("{problem}\nrepeat with CHECKER_SEED={world} CHECKER_STEPS={budget}"),
        }
        world = world.wrapping_add(1);
    }
    let per_second = total.steps as f64 / began.elapsed().as_secs_f64();
    println!("seed {seed}: {total:?}, {per_second:.0} steps a second");
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 0..6 {
        let reports = [(); 2].map(|()| run_in_memory(seed, 2_000, None).unwrap());
        assert_eq!(reports[0], reports[1], "seed {seed}");
    }
}

#[rstest]
#[case::nothing_is_lost(false)]
#[case::the_log_is_trimmed_wiped_and_rewound(true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_promise_is_broken_on_redis(#[case] losses: bool) {
    let seed = from_environment("CHECKER_SEED").unwrap_or_else(rand::random);
    let steps = from_environment("CHECKER_STEPS").unwrap_or(50_000);
    let (began, mut total) = (Instant::now(), Report::default());
    let mut world = seed;
    while total.steps < steps {
        let budget = REDIS_WORLD_STEPS.min(steps - total.steps);
        match in_redis::run(world, budget, losses, None).await {
            Ok(report) => total.add(&report),
            Err(problem) => panic!("{problem}\nrun again with CHECKER_SEED={world} CHECKER_STEPS={budget}"),
        }
        world = world.wrapping_add(1);
    }
    let per_second = total.steps as f64 / began.elapsed().as_secs_f64();
    println!("seed {seed}: {total:?}, {per_second:.0} steps a second");
}
