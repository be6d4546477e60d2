//! A fault as it is asked for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest that anything is held back.
const MS_MAX: u64 = 600_000;
const COPIES_MAX: u32 = 100;
/// How long an event waits to be overtaken, unless said otherwise.
const REORDER_MS: u64 = 2_000;

/// What is asked for. Which fields belong to which `kind` is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FaultPlan {
    pub(crate) kind: KindName,
    /// How often it happens; left out, until it is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u32>,
    /// Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copies: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forgery: Option<Forgery>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keep_old: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<String>,
    /// Only calls with this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    /// Only calls whose path has this in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// Only webhooks of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event_type: Option<String>,
    /// Only what belongs to this conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) conversation_id: Option<String>,
}

/// The word for what goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum KindName {
    Latency,
    Status,
    LostAnswer,
    Duplicate,
    Delay,
    Reorder,
    Forge,
    Drop,
    RotateKey,
    NeverAccepts,
}

/// How a webhook is forged. The true one follows each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Forgery {
    /// Another body under a true signature.
    Body,
    /// Signed by another key under the true key's identifier.
    Key,
    /// Signed by a key that nobody gave out.
    Kid,
    /// An hour old.
    Stale,
    /// Another tenant's.
    Tenant,
}

impl Forgery {
    /// How the log names it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Body => "forged body",
            Self::Key => "forged key",
            Self::Kid => "forged kid",
            Self::Stale => "forged stale",
            Self::Tenant => "forged tenant",
        }
    }
}

/// What goes wrong, with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The call is kept waiting.
    Latency(Duration),
    /// The call is not done, and answered so: status, and after how many seconds to come back.
    Status(u16, Option<u32>),
    LostAnswer,
    /// The same request is sent so many times more.
    Duplicate(u32),
    Delay(Duration),
    /// The next event of the conversation goes first, if there is one within this time.
    Reorder(Duration),
    Forge(Forgery),
    Drop,
    /// At once: signs with a new key; whether the old ones can still be had.
    RotateKey {
        keep_old: bool,
    },
    /// An agent whose script accepts nothing.
    NeverAccepts(String),
}

/// Why a fault cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FaultError(String);

fn wrong<T>(why: impl Into<String>) -> Result<T, FaultError> {
    Err(FaultError(why.into()))
}

impl FaultPlan {
    /// Checks that what was given makes sense together.
    pub(crate) fn check(&self) -> Result<Kind, FaultError> {
        self.check_fields()?;
        if self.times == Some(0) {
            return wrong("times must be at least 1, or left out.");
        }
        Ok(match self.kind {
            KindName::Latency => Kind::Latency(self.duration(None)?),
            KindName::Delay => Kind::Delay(self.duration(None)?),
            KindName::Reorder => Kind::Reorder(self.duration(Some(REORDER_MS))?),
            KindName::Status => match self.status {
                Some(status @ 400..=599) => Kind::Status(status, self.retry_after_seconds),
                Some(other) => return wrong(format!("status must be from 400 to 599, not {other}.")),
                None => return wrong("This kind needs a status, such as 429 or 503."),
            },
            KindName::LostAnswer => Kind::LostAnswer,
            KindName::Duplicate => match self.copies.unwrap_or(1) {
                copies @ 1..=COPIES_MAX => Kind::Duplicate(copies),
                other => return wrong(format!("copies must be from 1 to {COPIES_MAX}, not {other}.")),
            },
            KindName::Forge => Kind::Forge(self.forgery.unwrap_or(Forgery::Body)),
            KindName::Drop => Kind::Drop,
            KindName::RotateKey => Kind::RotateKey {
                keep_old: self.keep_old.unwrap_or(true),
            },
            KindName::NeverAccepts => match &self.agent {
                Some(agent) => Kind::NeverAccepts(agent.clone()),
                None => return wrong("This kind needs an agent."),
            },
        })
    }

    fn duration(&self, usual: Option<u64>) -> Result<Duration, FaultError> {
        match self.ms.or(usual) {
            Some(ms @ 1..=MS_MAX) => Ok(Duration::from_millis(ms)),
            Some(other) => wrong(format!("ms must be from 1 to {MS_MAX}, not {other}.")),
            None => wrong("This kind needs ms, how long in milliseconds."),
        }
    }

    fn check_fields(&self) -> Result<(), FaultError> {
        use KindName::{
            Delay, Drop, Duplicate, Forge, Latency, LostAnswer, NeverAccepts, Reorder, RotateKey, Status,
        };
        let calls: &[KindName] = &[Latency, Status, LostAnswer];
        let webhooks: &[KindName] = &[Duplicate, Delay, Reorder, Forge, Drop];
        let either: &[KindName] = &[
            Latency, Status, LostAnswer, Duplicate, Delay, Reorder, Forge, Drop,
        ];
        let fields = [
            ("times", self.times.is_some(), either),
            ("ms", self.ms.is_some(), &[Latency, Delay, Reorder]),
            ("status", self.status.is_some(), &[Status]),
            ("retryAfterSeconds", self.retry_after_seconds.is_some(), &[Status]),
            ("copies", self.copies.is_some(), &[Duplicate]),
            ("forgery", self.forgery.is_some(), &[Forge]),
            ("keepOld", self.keep_old.is_some(), &[RotateKey]),
            ("agent", self.agent.is_some(), &[NeverAccepts]),
            ("method", self.method.is_some(), calls),
            ("path", self.path.is_some(), calls),
            ("eventType", self.event_type.is_some(), webhooks),
            ("conversationId", self.conversation_id.is_some(), either),
        ];
        let stray = fields
            .iter()
            .find(|(_, given, kinds)| *given && !kinds.contains(&self.kind));
        match stray {
            Some((name, ..)) => wrong(format!("{name} does not belong to this kind of fault.")),
            None => Ok(()),
        }
    }

    /// Whether it is meant for this call.
    pub(super) fn fits_call(&self, method: &str, path: &str) -> bool {
        let fits = |asked: &Option<String>, fits: &dyn Fn(&str) -> bool| asked.as_deref().is_none_or(fits);
        fits(&self.method, &|it| it.eq_ignore_ascii_case(method))
            && fits(&self.path, &|it| path.contains(it))
            && fits(&self.conversation_id, &|it| {
                path.split('/').any(|part| part == it)
            })
    }

    /// Whether it is meant for this webhook. Verifications belong to no conversation, and must be named.
    pub(super) fn fits_webhook(&self, event_type: &str, conversation: Option<&str>) -> bool {
        let named = self.event_type.as_deref();
        let of_type = named.map_or(conversation.is_some(), |it| it == event_type);
        let wanted = self.conversation_id.as_deref();
        of_type && (wanted.is_none() || wanted == conversation)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, from_value, json};

    use super::*;

    #[rstest]
    #[case(json!({"kind": "latency"}), "needs ms")]
    #[case(json!({"kind": "delay", "ms": 600_001}), "ms must be from 1 to 600000, not 600001.")]
    #[case(json!({"kind": "status"}), "needs a status")]
    #[case(json!({"kind": "status", "status": 200}), "status must be from 400 to 599, not 200.")]
    #[case(json!({"kind": "duplicate", "copies": 0}), "copies must be from 1 to 100, not 0.")]
    #[case(json!({"kind": "drop", "times": 0}), "times must be at least 1")]
    #[case(json!({"kind": "drop", "path": "/messages"}), "path does not belong to this kind of fault.")]
    #[case(json!({"kind": "lostAnswer", "eventType": "MESSAGE"}), "eventType does not belong")]
    #[case(json!({"kind": "neverAccepts"}), "needs an agent")]
    fn what_makes_no_sense_is_named(#[case] plan: Value, #[case] why: &str) {
        let plan: FaultPlan = from_value(plan).unwrap();
        let refused = plan.check().unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }

    #[rstest]
    #[case(json!({"kind": "status", "status": 429, "retryAfterSeconds": 2}), Kind::Status(429, Some(2)))]
    #[case(json!({"kind": "duplicate"}), Kind::Duplicate(1))]
    #[case(json!({"kind": "forge"}), Kind::Forge(Forgery::Body))]
    #[case(json!({"kind": "rotateKey"}), Kind::RotateKey { keep_old: true })]
    fn what_is_left_out_has_a_usual_value(#[case] plan: Value, #[case] kind: Kind) {
        let plan: FaultPlan = from_value(plan).unwrap();
        assert_eq!(plan.check(), Ok(kind));
    }
}
