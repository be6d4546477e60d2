//! Checks a configuration against the real thing, and explains why the signature of a webhook failed.
//!
//! Nothing is changed anywhere. Redis is read, 8x8 is asked for lists; what somebody could see, such as having 8x8 try a
//! webhook, is done only on request. `docs/doctor.md` is its manual.
//!
//! One file for each part: `settings`, `callers`, `chat_v2`, `tls`, `ports`, `redis`, `upstream` and `wiring` look at what is configured, `capture`
//! and `request` at a webhook that was captured. All judge by the code that the service itself runs.

mod callers;
mod capture;
mod chat_v2;
mod finding;
mod ports;
mod redis;
mod request;
mod settings;
mod tls;
mod upstream;
mod wiring;

use std::path::Path;

use url::Url;

pub use self::{
    capture::{CaptureError, Captured},
    finding::{CHECKS, Check, Finding, Report, Severity},
    request::RequestOptions,
};
use crate::config::{Config, ConfigError};

/// What is looked at besides what always is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether to have 8x8 try each webhook that leads to the door, which the door sees.
    pub verify: bool,
    /// The URL by which 8x8 reaches the door; `None`: any whose path is the door's.
    pub webhook_url: Option<Url>,
}

/// Reads the settings as `serve` does; where they are wrong, the report says so, and there is nothing else to look at.
pub fn load(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Result<Config, Report> {
    Config::load(file, env).map_err(|ConfigError(mistakes)| {
        let mut report = Report::default();
        for mistake in mistakes {
            settings::mistake(&mut report, &mistake);
        }
        report
    })
}

/// Reads a time: RFC 3339, or Unix milliseconds.
pub fn read_time(text: &str) -> Option<i64> {
    capture::read_time(text)
}

/// Looks at all that a configuration needs.
pub async fn examine(config: &Config, options: &Options) -> Report {
    let mut report = Report::default();
    settings::examine(config, &mut report);
    callers::examine(config, &mut report).await;
    chat_v2::examine(config, &mut report);
    tls::examine(config, options, &mut report);
    ports::examine(config, &mut report).await;
    redis::examine(config, &mut report).await;
    for tenant in &config.tenants {
        if let Some(gateway) = upstream::examine(config, tenant, &mut report).await {
            wiring::examine(config, tenant, &gateway, options, &mut report).await;
        }
    }
    report
}

/// Explains what the door makes of a captured request.
pub async fn examine_request(config: &Config, captured: &[u8], options: &RequestOptions) -> Report {
    let mut report = Report::default();
    match Captured::read(captured) {
        Ok(captured) => request::examine(config, &captured, options, &mut report).await,
        Err(error) => request::unreadable(&error, &mut report),
    }
    report
}
