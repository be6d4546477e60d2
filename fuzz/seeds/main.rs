//! Writes the seeds of the corpus: inputs that a person would think of, as `corpus/TARGET/seed-NAME`. What the engine found
//! lies beside them and is left alone.
//!
//!     cargo run -p chatbridge-fuzz --example seeds

#![allow(clippy::unwrap_used, reason = "run by hand, where a panic says enough")]

mod answers;
mod binary;
mod door;
mod text;

use std::{fs, io, path::Path};

/// A seed's name and its bytes.
type Seed = (String, Vec<u8>);

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let targets = [
        ("answers", answers::seeds()),
        ("cursor", binary::cursors()),
        ("disposition", text::dispositions()),
        ("fiql", text::filters()),
        ("jwk", door::keys()),
        ("page_token", binary::page_tokens()),
        ("signature", door::requests()),
        ("webhook", door::bodies()),
    ];
    for (target, seeds) in targets {
        let directory = corpus.join(target);
        fs::create_dir_all(&directory)?;
        for (name, bytes) in seeds {
            fs::write(directory.join(format!("seed-{name}")), bytes)?;
        }
    }
    Ok(())
}

/// Seeds that need no name: they are numbered.
fn numbered<T: AsRef<[u8]>>(seeds: impl IntoIterator<Item = T>) -> Vec<Seed> {
    let seeds = seeds.into_iter().enumerate();
    seeds
        .map(|(n, seed)| (format!("{n:02}"), seed.as_ref().to_vec()))
        .collect()
}
