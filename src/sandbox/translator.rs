//! Translation for agents, by a translator that somebody else runs. The sandbox has none of its own: without one that is set up,
//! nothing is translated, and it says so.
//!
//! It is asked as LibreTranslate is: `POST` of `{"q", "source", "target", "format": "text"}`, and `"api_key"` where there is one;
//! the answer is 2xx with `{"translatedText": …}`, an error anything else with `{"error": …}` if it likes.

use std::{fmt, time::Duration};

use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::Url;

use super::delivery::is_loopback;

/// How long a translation may take unless the settings say otherwise.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many characters are translated at once.
pub(crate) const TEXT_CHARS: usize = 10_000;
/// How much of an answer is read.
const ANSWER_BYTES: usize = 1 << 20;
/// How much of a translator's own words is shown.
const REASON_CHARS: usize = 200;
/// How many translations are under way at once; others wait.
const AT_ONCE: usize = 4;

/// Where a translator is.
#[derive(Clone)]
pub struct TranslatorSettings {
    /// Where texts are posted to: `http` or `https`, such as `http://127.0.0.1:5000/translate`.
    pub url: Url,
    /// Sent along as `api_key`.
    pub api_key: Option<SecretString>,
    /// Whether it may be on another machine: what customers wrote then leaves this one.
    pub remote: bool,
    /// How long a translation may take, waiting for others included.
    pub patience: Duration,
}

impl TranslatorSettings {
    /// A translator on this machine that asks for no key.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            api_key: None,
            remote: false,
            patience: PATIENCE,
        }
    }
}

impl fmt::Debug for TranslatorSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TranslatorSettings")
            .field("host", &self.url.host_str())
            .field("remote", &self.remote)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// Why these settings make no translator.
#[derive(Debug, thiserror::Error)]
pub enum TranslatorError {
    /// It is not reached by HTTP.
    #[error("the translator's URL must begin with http:// or https://, not {0}:")]
    Scheme(String),
    /// The URL carries a user or a password.
    #[error("the translator's URL must not carry a user or a password; give it a key of its own")]
    Credentials,
    /// It is on another machine, and nobody allowed that.
    #[error(
        "the translator at {0} is not on this machine: what customers write would leave it; allow that \
         with --translator-remote, or name one at 127.0.0.1"
    )]
    FarAway(String),
    /// The HTTP client could not be made.
    #[error("the HTTP client for the translator could not be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// Asks a translator.
pub(crate) struct Translator {
    url: Url,
    host: String,
    api_key: Option<SecretString>,
    patience: Duration,
    client: Client,
    at_once: Semaphore,
}

/// What is to be translated.
pub(crate) struct Job<'a> {
    pub(crate) text: &'a str,
    /// Language tags.
    pub(crate) source: &'a str,
    pub(crate) target: &'a str,
}

/// What a translator answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    translated_text: String,
}

/// What it answers in place of that.
#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// Why a text could not be translated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TranslateError {
    #[error("the translator at {host} did not answer within {ms} ms")]
    Slow { host: String, ms: u128 },
    #[error("the translator at {host} {why}")]
    Failed { host: String, why: String },
}

impl Translator {
    pub(crate) fn new(settings: TranslatorSettings) -> Result<Self, TranslatorError> {
        let url = settings.url;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TranslatorError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TranslatorError::Credentials);
        }
        let host = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let here = is_loopback(&url);
        if !here && !settings.remote {
            return Err(TranslatorError::FarAway(host));
        }
        // A redirect could lead what customers wrote to another machine.
        let mut client = Client::builder().redirect(reqwest::redirect::Policy::none());
        if here {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build()?,
            url,
            host,
            api_key: settings.api_key,
            patience: settings.patience,
            at_once: Semaphore::new(AT_ONCE),
        })
    }

    /// Host and port, as people are told.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether texts stay on this machine.
    pub(crate) fn is_here(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Translates, within the time that the settings give.
    pub(crate) async fn translate(&self, job: &Job<'_>) -> Result<String, TranslateError> {
        let asked = async {
            // The semaphore is never closed; without a permit there would only be more at once.
            let _permit = self.at_once.acquire().await;
            self.ask(job).await
        };
        match tokio::time::timeout(self.patience, asked).await {
            Ok(answer) => answer.map_err(|why| TranslateError::Failed {
                host: self.host.clone(),
                why,
            }),
            Err(_) => Err(TranslateError::Slow {
                host: self.host.clone(),
                ms: self.patience.as_millis(),
            }),
        }
    }

    async fn ask(&self, job: &Job<'_>) -> Result<String, String> {
        let mut body = json!({"q": job.text, "source": job.source, "target": job.target, "format": "text"});
        if let Some(key) = &self.api_key {
            body["api_key"] = Value::from(key.expose_secret());
        }
        let sent = self.client.post(self.url.clone()).json(&body).send().await;
        let mut answer = sent.map_err(|why| match why.is_connect() {
            true => "cannot be reached".to_owned(),
            false => "broke the connection off".to_owned(),
        })?;
        let status = answer.status();
        let bytes = read(&mut answer).await?;
        if !status.is_success() {
            return Err(refused(status, &bytes, self.api_key.as_ref()));
        }
        let answer: Result<Answer, serde_json::Error> = serde_json::from_slice(&bytes);
        answer
            .map(|it| it.translated_text)
            .map_err(|why| match why.is_data() {
                true => "answered without a translatedText that is a text".to_owned(),
                false => "answered something else than JSON".to_owned(),
            })
    }
}

async fn read(answer: &mut Response) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    let broken = |_| "broke the connection off".to_owned();
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        if all.len() + part.len() > ANSWER_BYTES {
            return Err(format!("answered more than {} MiB", ANSWER_BYTES >> 20));
        }
        all.extend_from_slice(&part);
    }
    Ok(all)
}

/// What a refusal says, with the translator's own words if it has any. A key that it repeats is not passed on.
fn refused(status: StatusCode, answer: &[u8], key: Option<&SecretString>) -> String {
    let status = status.as_u16();
    let Ok(Refused { error: why }) = serde_json::from_slice(answer) else {
        return format!("answered {status}");
    };
    let why = match key.map(ExposeSecret::expose_secret).filter(|it| !it.is_empty()) {
        Some(key) => why.replace(key, "…"),
        None => why,
    };
    let mut shown: String = why.chars().take(REASON_CHARS).collect();
    if shown.len() < why.len() {
        shown.push('…');
    }
    format!("answered {status}: {shown}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:5000/translate", false, None)]
    #[case("http://[::1]:5000/translate", false, None)]
    #[case("http://localhost/translate", false, None)]
    #[case("https://translate.example/translate", true, None)]
    #[case(
        "https://translate.example/translate",
        false,
        Some("translate.example is not on this machine")
    )]
    #[case("http://10.0.0.7:5000/", false, Some("10.0.0.7:5000 is not on this machine"))]
    #[case(
        "file:///translate",
        true,
        Some("must begin with http:// or https://, not file:")
    )]
    #[case("http://a:b@127.0.0.1/", false, Some("must not carry a user or a password"))]
    fn where_a_translator_may_be(#[case] url: &str, #[case] remote: bool, #[case] refused: Option<&str>) {
        let settings = TranslatorSettings {
            remote,
            ..TranslatorSettings::new(url.parse().unwrap())
        };
        let made = Translator::new(settings).map(drop).map_err(|why| why.to_string());
        match (made, refused) {
            (Ok(()), None) => {}
            (Err(why), Some(part)) => assert!(why.contains(part), "{why}"),
            (made, _) => panic!("{url}: {made:?}"),
        }
    }

    #[test]
    fn a_refusal_is_short_and_does_not_repeat_the_key() {
        let key = SecretString::from("k-1");
        let answer = json!({"error": format!("k-1 is not a key {}", "x".repeat(500))}).to_string();
        let said = refused(StatusCode::FORBIDDEN, answer.as_bytes(), Some(&key));
        assert!(said.starts_with("answered 403: … is not a key x"), "{said}");
        assert!(said.chars().count() < 220, "{said}");
        assert_eq!(refused(StatusCode::BAD_GATEWAY, b"<p>", None), "answered 502");
    }
}
