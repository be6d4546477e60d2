//! Walks along all that a reader was given, and then waits until it has been given all.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    offers::Offers,
    reader::{Begin, Reader},
    truth::Truth,
    violation::{Checked, Violation},
    walk::Walk,
};

/// How long to wait before looking again whether there is something to wait for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Judges all streams of a reader but for what the last may still get; answers where that is.
fn judge(reader: &Reader, truth: &Truth, partitions: u16) -> Checked<Option<Walk>> {
    let marks: BTreeSet<(usize, usize)> = reader
        .streams
        .iter()
        .filter_map(|stream| match stream.begin {
            Begin::Mark { stream, mark } => Some((stream, mark)),
            _ => None,
        })
        .collect();
    let mut snapshots: BTreeMap<(usize, usize), Walk> = BTreeMap::new();
    let mut last = None;
    for (number, stream) in reader.streams.iter().enumerate() {
        let within = |problem, seen| in_stream(problem, reader, number, seen);
        let mut walk = match stream.begin {
            Begin::Mark { stream: of, mark } => {
                let taken = &reader.streams[of].marks[mark];
                snapshots[&(of, mark)].resume(stream, (&taken.cursor, taken.tick), truth)
            }
            _ => Walk::start(stream, partitions),
        };
        let mut here = stream.marks.iter().enumerate().peekable();
        for after in 0..=stream.seen.len() {
            while let Some((mark, _)) = here.next_if(|(_, mark)| mark.after == after) {
                if marks.contains(&(number, mark)) {
                    snapshots.insert((number, mark), walk.clone());
                }
            }
            if let Some(seen) = stream.seen.get(after) {
                walk.observe(seen, truth)
                    .map_err(|problem| within(problem, after + 1))?;
            }
        }
        let over = number + 1 < reader.streams.len() || !reader.is_open();
        if over {
            walk.missing(truth, false)
                .map_err(|problem| within(problem, stream.seen.len()))?;
        } else {
            last = Some(walk);
        }
    }
    Ok(last)
}

fn in_stream(mut problem: Violation, reader: &Reader, number: usize, seen: usize) -> Violation {
    let stream = reader.streams[number].tell(seen);
    problem.what = format!(
        "{}\nreader {} stream {number}: {stream}",
        problem.what, reader.number
    );
    problem
}

/// Waits until a reader's open stream has been given all that it must get, and `quiet` longer for what it must not get. It
/// must not stop coming for `limit`.
async fn drain(
    reader: &mut Reader,
    mut walk: Walk,
    truth: &Truth,
    (limit, quiet): (Duration, Duration),
) -> Checked {
    let within = |problem, reader: &Reader| {
        let seen = reader.stream().map_or(0, |stream| stream.seen.len());
        in_stream(problem, reader, reader.streams.len() - 1, seen)
    };
    let look = |reader: &Reader, walk: &mut Walk| {
        let seen = reader.stream().and_then(|stream| stream.seen.last());
        let observed = seen.map_or(Ok(()), |seen| walk.observe(seen, truth));
        observed.map_err(|problem| within(problem, reader))
    };
    let mut deadline = Instant::now() + limit;
    loop {
        // Waiting is not for the impatient: a read of the log that is given up begins anew.
        while reader.poll() {
            look(reader, &mut walk)?;
            deadline = Instant::now() + limit;
        }
        match walk.missing(truth, true) {
            Ok(()) => break,
            Err(problem) if !reader.is_open() || Instant::now() > deadline => {
                return Err(within(problem, reader));
            }
            Err(_) if reader.wait(PATIENCE).await => {
                look(reader, &mut walk)?;
                deadline = Instant::now() + limit;
            }
            Err(_) => {}
        }
    }
    while reader.wait(quiet).await {
        look(reader, &mut walk)?;
    }
    Ok(())
}

/// Judges all readers, each of which has a stream open, to the end. What they were given already comes first: what is wrong
/// there must not be hidden by somebody who is still waiting.
pub(super) async fn settle(
    readers: &mut [Reader],
    truth: &Truth,
    partitions: u16,
    times: (Duration, Duration),
    offers: &Offers,
) -> Checked {
    let judged = readers.iter().map(|reader| judge(reader, truth, partitions));
    let walks = judged.collect::<Checked<Vec<Option<Walk>>>>()?;
    for (reader, walk) in readers.iter_mut().zip(walks) {
        if let Some(walk) = walk {
            drain(reader, walk, truth, times).await?;
        }
        reader.leave(offers);
    }
    Ok(())
}
