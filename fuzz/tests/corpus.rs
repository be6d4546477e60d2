//! The kept corpus: whatever was ever found holds, without the engine.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use chatbridge_fuzz::{TARGETS, signature, signed};

fn below(directory: &str) -> BTreeSet<PathBuf> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(directory);
    fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect()
}

fn names(directory: &str) -> BTreeSet<String> {
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    below(directory).iter().map(stem).collect()
}

#[test]
fn every_target_has_all_that_it_needs() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for directory in ["fuzz_targets", "corpus", "dictionaries"] {
        assert_eq!(names(directory), targets, "in fuzz/{directory}");
    }
}

#[test]
fn the_corpus_holds() {
    for (name, check) in TARGETS {
        let inputs = below(&format!("corpus/{name}"));
        assert!(inputs.len() > 5, "{name} has hardly a corpus");
        for path in inputs {
            let input = fs::read(&path).unwrap();
            let held = std::panic::catch_unwind(|| check(&input));
            assert!(
                held.is_ok(),
                "{} breaks what the target {name} checks",
                path.display()
            );
        }
    }
}

/// A target that takes everything for refused would find nothing.
#[test]
fn the_signed_deliveries_in_the_corpus_are_verified() {
    for delivery in signed::deliveries() {
        let path = format!(
            "{}/corpus/signature/seed-{}",
            env!("CARGO_MANIFEST_DIR"),
            delivery.name
        );
        assert!(signature::verifies(&fs::read(path).unwrap()), "{}", delivery.name);
    }
}
