//! Agents' names. The vendor's events carry an agent's identifier alone, so the operator may say where the names are: in
//! a file, or behind a URL.
//!
//! A name is a courtesy. Looking one up is bounded in time, and what cannot be found in that time is an agent without a
//! name, never a failure.

mod file;
mod http;
mod name;
mod template;

use std::path::Path;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

pub use self::http::HttpSettings;
pub use self::template::{NOT_A_TEMPLATE, UrlTemplate};
use self::{file::FileNames, http::HttpNames};
use crate::event::{AuthorType, Participant, TenantId};

/// Counter of lookups, by `outcome`: `found`, or why there is no name (see [`Miss`]). Answers from a cache are not counted.
pub const LOOKUPS: &str = "chatbridge_agent_name_lookups_total";

/// The longest identifier that is looked up, in bytes.
const ID_BYTES_MAX: usize = 256;

/// For whom a source is asked to see whether it answers.
const NO_SUCH_AGENT: &str = "chatbridge-doctor-no-such-agent";

/// Why a lookup brought no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Miss {
    /// The source has no name for this agent.
    Unknown,
    /// The source answered something that cannot be used.
    Unusable,
    /// The source could not be reached, or failed.
    Unavailable,
    /// The source took too long.
    Timeout,
    /// So many lookups were under way that this one was not begun.
    Busy,
}

impl Miss {
    /// The outcome as the metric has it.
    fn outcome(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unusable => "unusable",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Busy => "busy",
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!(LOOKUPS, "outcome" => outcome).increment(1);
}

/// Where the names of agents come from; clones share it, and what it keeps.
#[derive(Debug, Clone, Default)]
pub struct AgentNames(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    None,
    File(FileNames),
    Http(HttpNames),
}

impl AgentNames {
    /// No names at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// The names of a JSON file. One that cannot be read is warned of and holds no names until it can be.
    pub async fn from_file(path: &Path) -> Self {
        let names = FileNames::new(path);
        names.refresh().await;
        Self(Source::File(names))
    }

    /// The names behind a URL.
    ///
    /// # Errors
    /// TLS that cannot be set up, as a sentence.
    pub fn from_url(template: UrlTemplate, settings: HttpSettings) -> Result<Self, &'static str> {
        Ok(Self(Source::Http(HttpNames::new(template, settings)?)))
    }

    /// Rereads a file whenever it changes, until `shutdown`; with another source, only waits for that.
    pub async fn watch(self, shutdown: CancellationToken) {
        match &self.0 {
            Source::File(names) => names.watch(file::LOOK_EVERY, &shutdown).await,
            Source::None | Source::Http(_) => shutdown.cancelled().await,
        }
    }

    /// Looks whether the source can be used; `None` without one. Behind a URL, an agent is asked for whom there is not
    /// (`chatbridge-doctor-no-such-agent`). Both answers are sentences that show no name and no address.
    pub async fn check(&self) -> Option<Result<String, String>> {
        Some(match &self.0 {
            Source::None => return None,
            Source::File(names) => match names.check() {
                Ok(count) => Ok(format!("The file has {count} name(s).")),
                Err(why) => Err(format!("The file is not taken: {why}.")),
            },
            Source::Http(names) => match names.check(NO_SUCH_AGENT).await {
                Ok(()) | Err(Miss::Unknown) => Ok("The service of names answers.".to_owned()),
                Err(Miss::Timeout) => Err("The service of names does not answer in time.".to_owned()),
                Err(Miss::Unusable) => {
                    Err("The service of names answers something else than {\"name\": …}.".to_owned())
                }
                Err(Miss::Unavailable | Miss::Busy) => {
                    Err("The service of names cannot be reached, or answers with an error.".to_owned())
                }
            },
        })
    }

    /// An agent's name, if it can be had in time.
    pub async fn name(&self, tenant: &TenantId, id: &str) -> Option<String> {
        if id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
            return None;
        }
        let name = match &self.0 {
            Source::None => None,
            Source::File(names) => names.name(id),
            Source::Http(names) => names.name(tenant, id).await,
        };
        name.map(|name| name.to_string())
    }

    /// Names the agents that have no name yet, all at the same time.
    pub async fn fill<'a>(&self, tenant: &TenantId, whom: impl IntoIterator<Item = &'a mut Participant>) {
        if matches!(self.0, Source::None) {
            return;
        }
        let nameless = whom
            .into_iter()
            .filter(|who| who.kind == Some(AuthorType::Agent) && who.name.is_empty());
        join_all(nameless.map(|who| async move {
            who.name = self.name(tenant, &who.id).await.unwrap_or_default();
        }))
        .await;
    }
}

#[cfg(test)]
mod observed;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn only_agents_without_a_name_get_one() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, r#"{{"a1": "Maria", "a2": "Ivan", "u1": "No agent"}}"#).unwrap();
        let names = AgentNames::from_file(file.path()).await;
        let agent = |id: &str| Participant::new(id, Some(AuthorType::Agent));
        let mut named = agent("a2");
        named.name = "As the vendor says".into();
        let mut all = [
            agent("a1"),
            named,
            agent("a3"),
            agent(""),
            Participant::new("u1", Some(AuthorType::User)),
            Participant::new("u1", None),
            agent("a1"),
        ];
        names.fill(&TenantId::new("t"), &mut all).await;
        let found: Vec<_> = all.iter().map(|who| who.name.as_str()).collect();
        assert_eq!(found, ["Maria", "As the vendor says", "", "", "", "", "Maria"]);
    }

    #[tokio::test]
    async fn without_a_source_nobody_has_a_name_and_watching_ends_with_the_service() {
        let names = AgentNames::none();
        assert_eq!(names.name(&TenantId::new("t"), "a1").await, None);
        let stop = CancellationToken::new();
        let watching = tokio::spawn(names.watch(stop.clone()));
        tokio::task::yield_now().await;
        assert!(!watching.is_finished());
        stop.cancel();
        watching.await.unwrap();
    }
}
