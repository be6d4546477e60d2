//! Logs go to standard error, one line for each thing that happened. What is logged can be changed while the program runs.

mod filter;
mod line;

use std::{
    io::IsTerminal as _,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing_subscriber::{Registry, fmt, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _};

pub use self::filter::Filter;
use self::line::WithTrace;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The filter in force, once logging has begun.
static LEVELS: OnceLock<Levels> = OnceLock::new();

/// Starts logging. `filter` is in the form of [`Filter`].
///
/// # Errors
/// A filter that cannot be read, or that logging has begun before, as a sentence.
pub fn init(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter: Filter = filter
        .parse()
        .map_err(|problem| format!("the log filter: {problem}"))?;
    let (layer, handle) = reload::Layer::new(filter.targets());
    let stderr = fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(layer);
    match format {
        LogFormat::Text => {
            let ansi = std::io::stderr().is_terminal();
            let (stderr, form) = (stderr.with_ansi(ansi), fmt::format().with_ansi(ansi));
            registry
                .with(stderr.event_format(WithTrace::text(form)))
                .try_init()
        }
        LogFormat::Json => {
            let form = fmt::format().json().flatten_event(true);
            let form = form.with_current_span(false).with_span_list(false);
            let stderr = stderr.fmt_fields(fmt::format::JsonFields::new());
            registry
                .with(stderr.event_format(WithTrace::json(form)))
                .try_init()
        }
    }
    .map_err(|error| format!("logging cannot start: {error}"))?;
    let levels = Levels {
        configured: filter,
        now: Mutex::new(Now::default()),
        handle,
    };
    // Whoever began first has begun: the line above would have failed.
    let _ = LEVELS.set(levels);
    Ok(())
}

/// What is logged, and how it was configured.
struct Levels {
    configured: Filter,
    now: Mutex<Now>,
    handle: reload::Handle<tracing_subscriber::filter::Targets, Registry>,
}

/// A filter that holds for a while.
#[derive(Default)]
struct Now {
    /// `None`: the configured one holds.
    changed: Option<(Filter, Instant)>,
    /// Counts changes, so that the end of one does not end the next.
    change: u64,
}

/// The filter in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InForce {
    /// What is logged now.
    pub filter: String,
    /// What is logged otherwise.
    pub configured: String,
    /// For how many seconds it is another than the configured one; absent: it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// The filter in force; `None` where this program's log was not begun by [`init`].
pub fn in_force() -> Option<InForce> {
    let levels = LEVELS.get()?;
    let now = levels.now.lock().unwrap_or_else(PoisonError::into_inner);
    let (filter, seconds_left) = match &now.changed {
        Some((filter, until)) => {
            let left = until.saturating_duration_since(Instant::now());
            (filter, Some(left.as_secs_f64().ceil() as u64))
        }
        None => (&levels.configured, None),
    };
    Some(InForce {
        filter: filter.to_string(),
        configured: levels.configured.to_string(),
        seconds_left,
    })
}

/// Logs by another filter for a while, or with `None` as it is configured, at once. Needs a Tokio runtime. It does nothing where
/// this program's log was not begun by [`init`].
pub fn change(filter: Option<(Filter, Duration)>) {
    let Some(levels) = LEVELS.get() else { return };
    let mut now = levels.now.lock().unwrap_or_else(PoisonError::into_inner);
    now.change += 1;
    let change = now.change;
    now.changed = filter.map(|(filter, lasts)| (filter, Instant::now() + lasts));
    levels.apply(&now);
    let Some((_, until)) = now.changed else { return };
    drop(now);
    tokio::spawn(async move {
        tokio::time::sleep_until(until).await;
        let mut now = levels.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.change == change {
            now.changed = None;
            levels.apply(&now);
            drop(now);
            tracing::info!(filter = %levels.configured, "what is logged is as configured again");
        }
    });
}

impl Levels {
    fn apply(&self, now: &Now) {
        let filter = now
            .changed
            .as_ref()
            .map_or(&self.configured, |(filter, _)| filter);
        // It fails only where the subscriber is gone, and that lives as long as the process.
        let _ = self.handle.reload(filter.targets());
    }
}
