//! The time that Redis takes for the script that appends an event, against a bare script of the same commands.
//!
//! What the script does is recorded with `MONITOR` while the service takes events. From that, bare scripts are made that issue the
//! very same commands with the very same arguments and decide nothing. Then both are called with what was recorded, in turn, by the
//! same client on the same Redis, which is emptied before.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{Cmd, Pipeline, aio::MultiplexedConnection, cmd};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::{
    Bench,
    drive::{Until, closed_loop},
    redis::Redis,
    system::{Running, System},
    table::{Measured, Verdict},
    webhook::Form,
};
use crate::Result;

const CONVERSATIONS: u64 = 50;
/// Events that are replayed before time is taken: they begin the conversations.
const WARM_UP: usize = 200;
const PIPELINE: usize = 100;
const RECORDS_WITHIN: Duration = Duration::from_secs(60);

/// A command as it was called.
type Words = Vec<Vec<u8>>;

/// What was seen of Redis.
#[derive(Default)]
struct Recording {
    /// Sources of scripts.
    loaded: Vec<Vec<u8>>,
    calls: Vec<Call>,
}

/// A call of a script.
struct Call {
    words: Words,
    /// What the script called.
    commands: Vec<Words>,
}

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let events = bench.pick(6_000, 2_000);
    let mut running = Running::start_replicas(System::Chatbridge, &bench.vendor, 0).await?;
    let recording = Arc::new(Mutex::new(Recording::default()));
    let monitor = monitor(&running.redis, Arc::clone(&recording)).await?;
    running.add(&bench.vendor, 0).await?;
    let batch = bench.batch(Form::Signed, events, CONVERSATIONS);
    closed_loop(
        &running.posts,
        &batch,
        0..batch.len(),
        1,
        Until::AllPosted(RECORDS_WITHIN),
    )
    .await?;
    let begun = Instant::now();
    while appends(&recording) < events as usize && begun.elapsed() < RECORDS_WITHIN {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    monitor.abort();
    running.servers.clear();
    let recording = std::mem::take(&mut *recording.lock().unwrap_or_else(PoisonError::into_inner));
    let calls: Vec<Call> = recording.calls.into_iter().filter(Call::appends).collect();
    if calls.len() < events as usize {
        return Err(format!(
            "{} calls of the script were seen for {events} events",
            calls.len()
        )
        .into());
    }

    let redis = &running.redis;
    let mut connection = redis.client.get_multiplexed_async_connection().await?;
    for source in &recording.loaded {
        load(&mut connection, source).await?;
    }
    let real: Vec<Cmd> = calls.iter().map(|call| command(&call.words)).collect();
    let (bare, shapes) = bare(&mut connection, &calls).await?;
    let mut measured = Measured::new();
    for _ in 0..bench.rounds() {
        for (system, calls) in [(System::Chatbridge, &real), (System::Floor, &bare)] {
            let us = replay(redis, &mut connection, calls).await?;
            measured.entry(system).or_default().push(us);
        }
    }
    let ratio = measured[&System::Chatbridge]
        .over(&measured[&System::Floor])
        .median();
    let commands = calls.last().map_or(0, |call| call.commands.len());
    let verdict = Verdict::at_most("× the bare script", ratio, 1.3);
    let what =
        format!("µs of Redis for the script of an event; floor: a bare one of its {commands} commands");
    bench.table.row(&what, 2, &measured, &[verdict]);
    let names = calls.last().map(Call::names).unwrap_or_default();
    bench.table.note(format!(
        "The script's commands for a message: {names}. Over {events} events it had {shapes} different lists of commands, each of \
         which has a bare script of its own."
    ));
    Ok(())
}

fn appends(recording: &Mutex<Recording>) -> usize {
    let recording = recording.lock().unwrap_or_else(PoisonError::into_inner);
    recording.calls.iter().filter(|call| call.appends()).count()
}

impl Call {
    fn appends(&self) -> bool {
        self.commands.iter().any(|words| is(words, "XADD"))
    }

    fn names(&self) -> String {
        let names = self.commands.iter().filter_map(|words| words.first());
        let names: Vec<_> = names
            .map(|name| String::from_utf8_lossy(name).to_uppercase())
            .collect();
        names.join(", ")
    }

    /// Calls of one shape can share a bare script.
    fn shape(&self) -> String {
        let lengths: Vec<_> = self.commands.iter().map(Vec::len).collect();
        format!("{} {lengths:?}", self.names())
    }
}

fn is(words: &Words, name: &str) -> bool {
    words
        .first()
        .is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// Records until it is aborted.
async fn monitor(redis: &Redis, recording: Arc<Mutex<Recording>>) -> Result<tokio::task::AbortHandle> {
    let address = redis.url.trim_start_matches("redis://");
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(b"MONITOR\r\n").await?;
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    let task = tokio::spawn(async move {
        loop {
            line.clear();
            if !matches!(stream.read_until(b'\n', &mut line).await, Ok(1..)) {
                return;
            }
            let mut recording = recording.lock().unwrap_or_else(PoisonError::into_inner);
            recording.take(&line);
        }
    });
    Ok(task.abort_handle())
}

impl Recording {
    /// A line of `MONITOR`: `+TIME [DB CLIENT] "WORD" "WORD"`, where the client of what a script calls is `lua`.
    fn take(&mut self, line: &[u8]) {
        let Some(end) = line.iter().position(|b| *b == b']') else {
            return;
        };
        let (by, words) = (&line[..end], words(&line[end + 1..]));
        if by.ends_with(b" lua") {
            if let Some(call) = self.calls.last_mut() {
                call.commands.push(words);
            }
        } else if is(&words, "SCRIPT") {
            self.loaded.extend(words.into_iter().nth(2));
        } else if is(&words, "EVALSHA") {
            let commands = Vec::new();
            self.calls.push(Call { words, commands });
        }
    }
}

/// Quoted words, with what is not printable escaped.
fn words(text: &[u8]) -> Words {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (&mut word, byte) {
            (None, b'"') => word = Some(Vec::new()),
            (None, _) => {}
            (Some(_), b'"') => words.extend(word.take()),
            (Some(word), b'\\') => match bytes.next() {
                Some(b'x') => {
                    let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16)).unwrap_or(0);
                    let (high, low) = (digit(bytes.next()), digit(bytes.next()));
                    word.push((high * 16 + low) as u8);
                }
                Some(b'n') => word.push(b'\n'),
                Some(b'r') => word.push(b'\r'),
                Some(b't') => word.push(b'\t'),
                Some(b'a') => word.push(7),
                Some(b'b') => word.push(8),
                Some(other) => word.push(other),
                None => {}
            },
            (Some(word), byte) => word.push(byte),
        }
    }
    words
}

fn command(words: &Words) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(word.as_slice());
    }
    command
}

async fn load(connection: &mut MultiplexedConnection, source: &[u8]) -> Result<String> {
    Ok(cmd("SCRIPT")
        .arg("LOAD")
        .arg(source)
        .query_async(connection)
        .await?)
}

/// A bare call for each call, and how many shapes they have. Words that are the same in all calls of a shape stand in the script, the
/// others are arguments, each once.
async fn bare(connection: &mut MultiplexedConnection, calls: &[Call]) -> Result<(Vec<Cmd>, usize)> {
    let mut shapes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, call) in calls.iter().enumerate() {
        shapes.entry(call.shape()).or_default().push(i);
    }
    let mut bare: Vec<Option<Cmd>> = calls.iter().map(|_| None).collect();
    for of_shape in shapes.values() {
        let flat: Vec<Vec<&[u8]>> = of_shape
            .iter()
            .map(|i| calls[*i].commands.iter().flatten().map(Vec::as_slice).collect())
            .collect();
        let column = |place: usize| flat.iter().map(move |call| call[place]);
        let mut arguments: Vec<usize> = Vec::new();
        let mut source = String::new();
        let mut place = 0;
        for words in &calls[of_shape[0]].commands {
            source.push_str("redis.call(");
            for n in 0..words.len() {
                source.push_str(if n > 0 { ", " } else { "" });
                if column(place).all(|word| word == flat[0][place]) {
                    literal(&mut source, flat[0][place]);
                } else {
                    let known = arguments
                        .iter()
                        .position(|other| column(place).eq(column(*other)));
                    let argument = known.unwrap_or_else(|| {
                        arguments.push(place);
                        arguments.len() - 1
                    });
                    write!(source, "ARGV[{}]", argument + 1)?;
                }
                place += 1;
            }
            source.push_str(")\n");
        }
        let sha1 = load(connection, source.as_bytes()).await?;
        for (i, words) in of_shape.iter().zip(&flat) {
            let mut call = cmd("EVALSHA");
            call.arg(&sha1).arg(0);
            for place in &arguments {
                call.arg(words[*place]);
            }
            bare[*i] = Some(call);
        }
    }
    Ok((bare.into_iter().flatten().collect(), shapes.len()))
}

fn literal(source: &mut String, word: &[u8]) {
    source.push('\'');
    for byte in word {
        match byte {
            b' '..=b'~' if !b"'\\".contains(byte) => source.push(char::from(*byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(source, "\\{byte:03}")),
        }
    }
    source.push('\'');
}

/// Microseconds a call.
async fn replay(redis: &Redis, connection: &mut MultiplexedConnection, calls: &[Cmd]) -> Result<f64> {
    cmd("FLUSHALL").arg("SYNC").exec_async(connection).await?;
    for (n, part) in [&calls[..WARM_UP], &calls[WARM_UP..]].into_iter().enumerate() {
        if n > 0 {
            redis.reset_statistics().await?;
        }
        for some in part.chunks(PIPELINE) {
            let mut pipeline = Pipeline::new();
            for call in some {
                pipeline.add_command(call.clone());
            }
            pipeline.exec_async(connection).await?;
        }
    }
    let statistics = redis.statistics().await?;
    let script = statistics.iter().find(|(name, ..)| name == "evalsha");
    let (_, calls, us) = script.ok_or("Redis has no statistics of the script")?;
    Ok(us / calls)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_calls_is_recorded_with_it() {
        let mut recording = Recording::default();
        for line in [
            &br#"+1.2 [0 127.0.0.1:5] "SCRIPT" "LOAD" "return \"1\"\n""#[..],
            br#"+1.2 [0 127.0.0.1:5] "EVALSHA" "ab" "1" "k \x00\xff\\""#,
            br#"+1.2 [0 lua] "XADD" "log]" "*""#,
            br#"+1.2 [0 127.0.0.1:5] "GET" "x""#,
        ] {
            recording.take(line);
        }
        assert_eq!(recording.loaded, [b"return \"1\"\n"]);
        let [call] = &recording.calls[..] else {
            panic!("one call")
        };
        assert_eq!(call.words[3], b"k \x00\xff\\");
        assert_eq!(call.commands, [[&b"XADD"[..], b"log]", b"*"].map(<[u8]>::to_vec)]);
        assert!(call.appends());
    }
}
