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
//! | `report` | what happened in a run, and what never did |
//! | `in_memory` | runs that a seed repeats |
//! | `in_redis`, `bad_luck` | runs on a real Redis, with everything at once, each replica with its own way to claim ids |
//! | `planted`, `tap`, `mutants` | faults that the checker must find |
//!
//! Each world's seed goes to standard error before it begins, whether the test passes, fails or hangs.
//! `CHECKER_SEED` and `CHECKER_STEPS` repeat a run, or make it longer. On the store in memory the same seed gives the same
//! run. On Redis it gives the same choices, but tasks, network and clock go their own way.

mod bad_luck;
mod in_memory;
mod in_redis;
mod judge;
mod mutants;
mod offers;
mod plan;
mod planted;
mod reader;
mod replica;
mod report;
mod tap;
mod truth;
mod violation;
mod walk;
mod warped;

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use rstest::rstest;

use self::{
    mutants::Mutant,
    report::{Report, say},
    violation::{Checked, violation},
};

/// Steps of one world: short enough to be looked through when it fails.
const WORLD_STEPS: u64 = 4_000;

/// Steps of one world on Redis.
const REDIS_WORLD_STEPS: u64 = 12_500;

/// How long one world on Redis may take: many times what it does, since a starved machine is no broken promise.
const REDIS_WORLD_WITHIN: Duration = Duration::from_secs(300);

/// How long whoever waits for the log to recover may do so: a writer for its answer, a reader for silence to end.
const RECOVERS_WITHIN: Duration = Duration::from_secs(60);

/// How many times in a row a reader may fail to find a live feed once all is well.
const CONNECTS: usize = 100;

/// How many entries may wait for a subscriber before it is detached.
const QUEUE: u64 = 256;

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
fn run_in_memory(seed: u64, steps: u64, mutant: Option<&Mutant>) -> Checked<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(in_memory::run(seed, steps, mutant))
}

/// A world on Redis, which comes to its end.
async fn run_on_redis(seed: u64, steps: u64, losses: bool, mutant: Option<&Mutant>) -> Checked<Report> {
    let world = in_redis::run(seed, steps, losses, mutant);
    match tokio::time::timeout(REDIS_WORLD_WITHIN, world).await {
        Ok(checked) => checked,
        Err(_) => violation!(
            Failed,
            "the world did not come to its end in {REDIS_WORLD_WITHIN:?}"
        ),
    }
}

/// Plays worlds of so many steps, one seed after another, until there were enough steps; each must keep every promise.
async fn play(
    what: &str,
    (usual, of_world): (u64, u64),
    (losses, claims): (bool, bool),
    world: impl AsyncFn(u64, u64) -> Checked<Report>,
) {
    let first = from_environment("CHECKER_SEED").unwrap_or_else(rand::random);
    let steps = from_environment("CHECKER_STEPS").unwrap_or(usual);
    let (began, mut total, mut seed) = (Instant::now(), Report::default(), first);
    while total.steps < steps {
        let budget = of_world.min(steps - total.steps);
        let repeat = format!("CHECKER_SEED={seed} CHECKER_STEPS={budget}");
        say(&format!("{what}, {repeat}"));
        match world(seed, budget).await {
            Ok(report) => total.add(&report),
            Err(problem) => panic!("{problem}\nrun again with {repeat}"),
        }
        seed = seed.wrapping_add(1);
    }
    let per_second = total.steps as f64 / began.elapsed().as_secs_f64();
    say(&format!(
        "{what}, seeds from {first}: {total:?}, {per_second:.0} steps a second"
    ));
    let never = total.never(losses, claims);
    assert!(
        steps < usual || never.is_empty(),
        "in {steps} steps from seed {first} there were no {never:?}: what the checker plays has become too tame"
    );
}

#[test]
fn no_promise_is_broken_in_memory() {
    let worlds = play(
        "in memory",
        (100_000, WORLD_STEPS),
        (true, false),
        async |seed, steps| run_in_memory(seed, steps, None),
    );
    worlds
        .now_or_never()
        .expect("each world has a runtime of its own, so nothing is waited for here");
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
    let what = if losses {
        "on Redis, with losses"
    } else {
        "on Redis"
    };
    play(
        what,
        (50_000, REDIS_WORLD_STEPS),
        (losses, true),
        async |seed, steps| run_on_redis(seed, steps, losses, None).await,
    )
    .await;
}
