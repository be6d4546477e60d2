//! `chatbridge dead-letters`: what waits for webhooks of Chat API v2, what was given up, and sending that again.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use super::{render::escape, start::fail};
use crate::{
    chat_v2::webhook_name,
    config::Config,
    event::TenantId,
    server::redis_settings,
    store::{
        Store as _,
        chat_v2::ChatV2Store as _,
        outbox::{DEAD_LETTERS_MAX, DeadLetter, OutboxState, OutboxStore as _, UNROUTED},
        redis::RedisStore,
    },
};

/// Options of `dead-letters`. The settings are read as `serve` reads them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Settings, as TOML. Variables of the environment win over it.
    #[arg(long, global = true, env = "CHATBRIDGE_CONFIG")]
    config: Option<PathBuf>,
    /// The tenant; may be left out where there is one
    #[arg(long, global = true)]
    tenant: Option<String>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show how each webhook is doing that has something waiting or given up; so it does without a word, too.
    Show,
    /// List the events that a webhook was not sent in the end, the newest first
    List {
        /// The webhook's identifier
        webhook: u64,
        /// How many at the most
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Send a webhook all that was given up, as if it were new; what the log does not have any more stays
    Revive {
        /// The webhook's identifier
        webhook: u64,
    },
}

pub(super) async fn run(args: Args) -> ExitCode {
    let config = match Config::load(args.config.as_deref(), std::env::vars()) {
        Ok(config) => config,
        Err(error) => return fail(&error.to_string(), 2),
    };
    let Some(url) = config.redis_url.clone() else {
        return fail(
            "without redis_url all that waits is in the memory of one process",
            2,
        );
    };
    let tenant = match tenant(&config, args.tenant.as_deref()) {
        Ok(tenant) => tenant,
        Err(problem) => return fail(&problem, 2),
    };
    let store = match RedisStore::connect(redis_settings(&config, url)).await {
        Ok(store) => store,
        Err(error) => return fail(&error.to_string(), 1),
    };
    let done = match args.action {
        None | Some(Action::Show) => show(&store, &tenant).await,
        Some(Action::List { webhook, limit }) => list(&store, &tenant, webhook, limit).await,
        Some(Action::Revive { webhook }) => revive(&store, &tenant, webhook).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&problem, 1),
    }
}

fn tenant(config: &Config, given: Option<&str>) -> Result<TenantId, String> {
    let known: Vec<&TenantId> = config.tenants.iter().map(|tenant| &tenant.id).collect();
    match (given, &known[..]) {
        (Some(given), _) => known
            .iter()
            .find(|id| id.as_str() == given)
            .map(|id| (*id).clone())
            .ok_or_else(|| format!("tenant {given:?} is not configured")),
        (None, [only]) => Ok((*only).clone()),
        (None, _) => {
            let names: Vec<&str> = known.iter().map(|id| id.as_str()).collect();
            Err(format!("say --tenant: there are {}", names.join(", ")))
        }
    }
}

fn say(line: &str) -> Result<(), String> {
    match writeln!(io::stdout(), "{line}") {
        // Whoever read it has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output cannot be written to: {error}"))
        }
        _ => Ok(()),
    }
}

async fn show(store: &RedisStore, tenant: &TenantId) -> Result<(), String> {
    let now_ms = store.now_ms().await.map_err(|error| error.to_string())?;
    let outboxes = store.outboxes(tenant).await.map_err(|error| error.to_string())?;
    if outboxes.is_empty() {
        return say(&format!(
            "No webhook of tenant {} has anything waiting or given up.",
            escape(tenant.as_str())
        ));
    }
    let webhooks = store.webhooks(tenant).await.map_err(|error| error.to_string())?;
    for outbox in outboxes {
        let record = webhooks.iter().find(|record| record.id == outbox.webhook);
        say(&line(&outbox, record.and_then(webhook_name).as_deref(), now_ms))?;
    }
    Ok(())
}

fn line(outbox: &OutboxState, name: Option<&str>, now_ms: u64) -> String {
    let mut line = match (outbox.webhook, name) {
        (UNROUTED, _) => "until 8x8 says on which channel they lie".to_owned(),
        (id, Some(name)) => format!("webhook {id} ({})", escape(name)),
        (id, None) => format!("webhook {id} (deleted)"),
    };
    line += &format!(
        ": {} wait, {} are being sent, {} dead",
        outbox.waiting, outbox.claimed, outbox.dead
    );
    if outbox.failing_since_ms != 0 {
        let since = span(now_ms.saturating_sub(outbox.failing_since_ms));
        line += &format!("; failing for {since}, {} times in a row", outbox.streak);
    }
    if outbox.paused_until_ms > now_ms {
        line += &format!("; nothing is sent for {}", span(outbox.paused_until_ms - now_ms));
    }
    line
}

fn span(ms: u64) -> String {
    let seconds = Duration::from_millis(ms).as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

async fn list(store: &RedisStore, tenant: &TenantId, webhook: u64, limit: usize) -> Result<(), String> {
    let letters = store
        .dead_letters(tenant, webhook, limit.min(DEAD_LETTERS_MAX))
        .await
        .map_err(|error| error.to_string())?;
    if letters.is_empty() {
        return say(&format!("Webhook {webhook} has no dead letters."));
    }
    letters.iter().try_for_each(|letter| say(&of_letter(letter)))
}

fn of_letter(letter: &DeadLetter) -> String {
    format!(
        "{} {} after {} tries: conversation {}, an event of {}",
        time(letter.dead_ms),
        letter.reason,
        letter.tries,
        escape(&letter.event.conversation),
        time(letter.event.entry.ms)
    )
}

fn time(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(
        || unix_ms.to_string(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

async fn revive(store: &RedisStore, tenant: &TenantId, webhook: u64) -> Result<(), String> {
    let revived = store
        .revive(tenant, webhook)
        .await
        .map_err(|error| error.to_string())?;
    say(&format!("{revived} events go to webhook {webhook} again."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::EntryId,
        store::outbox::{DeadReason, Waiting},
    };

    #[test]
    fn an_outbox_is_one_line() {
        let mut outbox = OutboxState {
            webhook: 3,
            waiting: 12,
            claimed: 1,
            dead: 4,
            ..OutboxState::default()
        };
        assert_eq!(
            line(&outbox, Some("App\u{1b}[1m"), 0),
            "webhook 3 (App\\u{1b}[1m): 12 wait, 1 are being sent, 4 dead"
        );
        (outbox.failing_since_ms, outbox.streak, outbox.paused_until_ms) = (1000, 7, 340_000);
        assert_eq!(
            line(&outbox, None, 301_000),
            "webhook 3 (deleted): 12 wait, 1 are being sent, 4 dead; failing for 5 min, 7 times in a row; nothing is sent for 39 s"
        );
    }

    #[test]
    fn a_dead_letter_is_one_line() {
        let letter = DeadLetter {
            event: Waiting {
                conversation: "c1".into(),
                entry: EntryId {
                    epoch: 1,
                    ms: 1_596_628_500_592,
                    n: 7,
                },
            },
            reason: DeadReason::Refused,
            tries: 10,
            dead_ms: 1_596_628_800_000,
        };
        assert_eq!(
            of_letter(&letter),
            "2020-08-05T12:00:00.000Z refused after 10 tries: conversation c1, an event of 2020-08-05T11:55:00.592Z"
        );
    }
}
