//! Asks admin ports what their replicas do.

use std::{net::SocketAddr, str::FromStr, time::Duration};

use futures_util::{StreamExt as _, future::join_all};
use serde::{Deserialize, Serialize};
use tokio::net::lookup_host;
use url::Url;

use crate::status::{FORMAT, Status};

/// How long a replica may take to answer, and a name to be looked up.
const WITHIN: Duration = Duration::from_secs(3);
/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// How many addresses of a name are asked.
const ADDRESSES_MAX: usize = 100;

/// An admin port, or a name whose addresses are admin ports.
#[derive(Debug, Clone)]
pub(super) enum AdminUrl {
    One(Url),
    Name(String),
}

impl FromStr for AdminUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WANTED: &str =
            "an address such as http://127.0.0.1:9090 or dns:///chatbridge-headless:9090 is wanted";
        if let Some(name) = text.strip_prefix("dns:///") {
            let port = name
                .rsplit_once(':')
                .map(|(host, port)| (host, port.parse::<u16>()));
            return match port {
                Some((host, Ok(_))) if !host.is_empty() => Ok(Self::Name(name.to_owned())),
                _ => Err(format!("the name needs a port: {WANTED}")),
            };
        }
        let url = Url::parse(text).map_err(|problem| format!("{problem}: {WANTED}"))?;
        if url.scheme() != "http" || url.host_str().is_none() {
            return Err(format!("the admin port speaks plain HTTP: {WANTED}"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(format!("it takes neither credentials nor a query: {WANTED}"));
        }
        Ok(Self::One(url))
    }
}

/// What a replica answered, or why it did not.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Reading {
    /// Its admin port.
    pub(super) admin: String,
    /// What it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Status>,
    /// Why it said nothing, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// Asks all of them.
pub(super) struct Reader {
    http: reqwest::Client,
    admin: Vec<AdminUrl>,
}

impl Reader {
    pub(super) fn new(admin: Vec<AdminUrl>) -> Result<Self, String> {
        crate::tls::install_provider();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|problem| format!("no HTTP client can be made: {problem}"))?;
        Ok(Self { http, admin })
    }

    /// Asks each, all at once. Names are looked up each time: replicas come and go.
    pub(super) async fn read(&self) -> Vec<Reading> {
        let asked = self.admin.iter().map(async |admin| match admin {
            AdminUrl::One(url) => vec![self.ask(url.as_str().trim_end_matches('/').to_owned()).await],
            AdminUrl::Name(name) => match addresses(name).await {
                Ok(found) => join_all(found.iter().map(|at| self.ask(format!("http://{at}")))).await,
                Err(problem) => vec![silent(format!("dns:///{name}"), problem)],
            },
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn ask(&self, admin: String) -> Reading {
        match self.status(&admin).await {
            Ok(status) => Reading {
                admin,
                status: Some(status),
                problem: None,
            },
            Err(problem) => silent(admin, problem),
        }
    }

    async fn status(&self, admin: &str) -> Result<Status, String> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let plain = |problem: reqwest::Error| {
            let what = if problem.is_timeout() {
                "it did not answer in time"
            } else {
                "it cannot be reached"
            };
            format!("{what}: is this the admin port of a replica that runs?")
        };
        let answer = self
            .http
            .get(format!("{admin}/status"))
            .send()
            .await
            .map_err(plain)?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            return Err(format!(
                "it answered {status}: is this the admin port of a Chatbridge that knows /status?"
            ));
        }
        let mut body = Vec::new();
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece.map_err(plain)?);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(format!("its answer is larger than {ANSWER_BYTES_MAX} bytes"));
            }
        }
        let unreadable = |problem| format!("its answer cannot be read: {problem}");
        let version: Version = serde_json::from_slice(&body).map_err(unreadable)?;
        if version.format != FORMAT {
            return Err(format!(
                "its answer has format {}, and this program reads {FORMAT}: use the program of its version",
                version.format
            ));
        }
        serde_json::from_slice(&body).map_err(unreadable)
    }
}

fn silent(admin: String, problem: String) -> Reading {
    Reading {
        admin,
        status: None,
        problem: Some(problem),
    }
}

async fn addresses(name: &str) -> Result<Vec<SocketAddr>, String> {
    let found = tokio::time::timeout(WITHIN, lookup_host(name)).await;
    let found = found.map_err(|_| "the name was not found in time".to_owned())?;
    let mut found: Vec<_> = found
        .map_err(|problem| format!("the name is not found: {problem}"))?
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(ADDRESSES_MAX);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("http://127.0.0.1:9090", true)]
    #[case("http://chatbridge-0.chatbridge:9090/", true)]
    #[case("dns:///chatbridge-headless:9090", true)]
    #[case("dns:///chatbridge-headless", false)]
    #[case("dns:///:9090", false)]
    #[case("https://127.0.0.1:9090", false)]
    #[case("http://user:secret@127.0.0.1:9090", false)]
    #[case("127.0.0.1:9090", false)]
    #[case("", false)]
    fn addresses_are_checked_before_anybody_is_asked(#[case] text: &str, #[case] will_do: bool) {
        let read = text.parse::<AdminUrl>();
        assert_eq!(read.is_ok(), will_do, "{read:?}");
        if let Err(problem) = read {
            assert!(
                problem.contains("is wanted") && !problem.contains("secret"),
                "{problem}"
            );
        }
    }
}
