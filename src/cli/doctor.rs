//! `chatbridge doctor`.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;
use url::Url;

use super::{render::escape, start::fail};
use crate::{
    config::Config,
    doctor::{self, Finding, Options, Report, RequestOptions, Severity},
};

/// The largest capture that is read, in bytes: some more than the largest webhook.
const CAPTURE_BYTES_MAX: u64 = 32 << 20;
/// The largest file with a key, in bytes.
const JWK_BYTES_MAX: u64 = 64 << 10;
/// The version of what `--json` prints.
const FORMAT: u32 = 1;

/// Options of `doctor`. The settings are read as `serve` reads them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Settings, as TOML. Variables of the environment win over it.
    #[arg(long, env = "CHATBRIDGE_CONFIG")]
    config: Option<PathBuf>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    /// Exit with 0 where nothing is worse than a warning.
    #[arg(long)]
    allow_warnings: bool,
    /// Have 8x8 try each webhook that leads to the door. A running service sees that, and may keep it as an event.
    #[arg(long)]
    verify: bool,
    /// The URL by which 8x8 reaches the door; without it, only the path of webhooks is compared.
    #[arg(long)]
    webhook_url: Option<Url>,
    /// Look at nothing but this captured webhook, and explain what the door makes of it: the text of an HTTP request, or JSON.
    /// `-`: standard input.
    #[arg(long, value_name = "FILE")]
    webhook_request: Option<PathBuf>,
    /// When it was received: a time such as 2026-03-01T12:00:00Z, or Unix milliseconds.
    #[arg(long, value_name = "TIME", requires = "webhook_request", value_parser = time)]
    received_at: Option<i64>,
    /// A file with the public key that it names, as JWK, instead of asking 8x8.
    #[arg(long, value_name = "FILE", requires = "webhook_request")]
    jwk: Option<PathBuf>,
}

fn time(text: &str) -> Result<i64, String> {
    doctor::read_time(text)
        .ok_or_else(|| "neither a time such as 2026-03-01T12:00:00Z nor Unix milliseconds".to_owned())
}

pub(super) async fn run(args: Args) -> ExitCode {
    let report = match doctor::load(args.config.as_deref(), std::env::vars()) {
        Ok(config) => match examine(&config, &args).await {
            Ok(report) => report,
            Err(problem) => return fail(&problem, 2),
        },
        Err(report) => report,
    };
    let printed = if args.json { json(&report) } else { lines(&report) };
    let code = match report.worst() {
        Severity::Warning if args.allow_warnings => ExitCode::SUCCESS,
        _ => ExitCode::from(report.exit_code()),
    };
    match io::stdout().write_all(printed.as_bytes()) {
        Ok(()) => code,
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
        Err(error) => fail(&format!("standard output cannot be written to: {error}"), 2),
    }
}

async fn examine(config: &Config, args: &Args) -> Result<Report, String> {
    let Some(file) = &args.webhook_request else {
        let options = Options {
            verify: args.verify,
            webhook_url: args.webhook_url.clone(),
        };
        return Ok(doctor::examine(config, &options).await);
    };
    let captured = read(file, CAPTURE_BYTES_MAX)?;
    let jwk = match &args.jwk {
        None => None,
        Some(file) => Some(String::from_utf8_lossy(&read(file, JWK_BYTES_MAX)?).into_owned()),
    };
    let options = RequestOptions {
        received_ms: args.received_at,
        jwk,
    };
    Ok(doctor::examine_request(config, &captured, &options).await)
}

fn read(file: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| format!("{}: cannot be read: {error}", file.display());
    let mut content = Vec::new();
    let limit = bytes_max + 1;
    if file == Path::new("-") {
        io::stdin()
            .take(limit)
            .read_to_end(&mut content)
            .map_err(unreadable)?;
    } else {
        let opened = File::open(file).map_err(unreadable)?;
        opened.take(limit).read_to_end(&mut content).map_err(unreadable)?;
    }
    if content.len() as u64 > bytes_max {
        return Err(format!("{}: is larger than {bytes_max} bytes", file.display()));
    }
    Ok(content)
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    worst: Severity,
    findings: &'a [Finding],
}

fn json(report: &Report) -> String {
    let document = Document {
        format: FORMAT,
        worst: report.worst(),
        findings: &report.findings,
    };
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text + "\n"
}

fn lines(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let word = match finding.severity {
            Severity::Ok => "ok",
            Severity::Skipped => "skipped",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
        };
        let of = match finding.subject.as_str() {
            "" => String::new(),
            subject => format!(" [{}]", escape(subject)),
        };
        text += &format!("{word:<8} {}{of}: {}\n", finding.id, escape(&finding.sentence));
        if !finding.remedy.is_empty() {
            text += &format!("{:<8} → {}\n", "", escape(&finding.remedy));
        }
    }
    let count = |severity| {
        report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    text + &match (errors, warnings) {
        (0, 0) => "Nothing is wrong.\n".to_owned(),
        _ => format!("{errors} error(s), {warnings} warning(s).\n"),
    }
}
