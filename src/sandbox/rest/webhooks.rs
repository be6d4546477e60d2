//! `/webhooks`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Body, hal,
    page::{PageRequest, Rules},
    problem::{Fault, Problem},
    validate::Findings,
};
use crate::sandbox::{
    Inner,
    delivery::{Address, DEFAULT_WEBHOOK, Webhook},
    new_id,
    strict::present,
};

/// The version of events that a webhook can ask for.
const VERSION: &str = "Chat Gateway v1.0";
/// The version that the vendor's description names for verifications as well.
const VERIFY_VERSIONS: [&str; 2] = [VERSION, "v2.0"];
const NAME_CHARACTERS: usize = 256;
const RULES: Rules = Rules {
    sort: &["id", "name"],
    ascending: true,
    filter: &["id", "name", "uri", "version"],
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WebhookBody {
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    uri: Option<String>,
    /// The vendor's description requires this one and has the other.
    #[serde(default, deserialize_with = "present")]
    notification_version: Option<String>,
    #[serde(default, deserialize_with = "present")]
    version: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyBody {
    #[serde(default, deserialize_with = "present")]
    version: Option<String>,
    #[serde(default, deserialize_with = "present")]
    uri: Option<String>,
}

/// Lists webhooks.
pub(super) async fn list(State(inner): State<Arc<Inner>>, uri: Uri) -> Result<Response, Problem> {
    let page = PageRequest::read(&uri, &RULES)?;
    Ok(inner.dispatcher.webhooks(|all| {
        let admitted = |it: &&Webhook| {
            page.admits(|field| match field {
                "id" => &it.id,
                "name" => &it.name,
                "uri" => it.address.as_ref().map_or("", Address::as_str),
                _ => VERSION,
            })
        };
        let mut items: Vec<&Webhook> = all.all().filter(admitted).collect();
        if page.sort == "name" {
            items.sort_by_key(|it| &it.name);
        }
        page.answer(&uri, "webhooks", items, |it| to_json(it))
    }))
}

/// Registers a webhook.
pub(super) async fn create(
    State(inner): State<Arc<Inner>>,
    Body(body): Body<WebhookBody>,
) -> Result<Response, Problem> {
    let new = check(body, new_id())?;
    let answer = to_json(&new);
    if !inner.dispatcher.webhooks(|all| all.add(new)) {
        let why = "The sandbox holds 1000 webhooks: delete some.";
        return Err(Problem::too_many("too_many_webhooks", why));
    }
    Ok(hal(StatusCode::OK, &answer))
}

/// Shows a webhook.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = inner.dispatcher.webhooks(|all| all.get(&id).map(to_json));
    let body = found.ok_or_else(|| none(&id))?;
    Ok(hal(StatusCode::OK, &body))
}

/// Replaces a webhook. Events that wait go to its new address.
pub(super) async fn replace(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<WebhookBody>,
) -> Result<Response, Problem> {
    let answer = inner.dispatcher.webhooks(|all| {
        if all.get(&id).is_none() {
            return Err(none(&id));
        }
        let new = check(body, id)?;
        let answer = to_json(&new);
        all.replace(new);
        Ok(answer)
    })?;
    Ok(hal(StatusCode::OK, &answer))
}

/// Deletes a webhook that no channel uses.
pub(super) async fn delete(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let in_use = |why: String| Problem::general(StatusCode::CONFLICT, &Fault::new("webhook_in_use", why));
    inner.floor(|floor| {
        if inner.dispatcher.webhooks(|all| all.get(&id).is_none()) {
            return Err(none(&id));
        }
        if id == DEFAULT_WEBHOOK {
            return Err(in_use(
                "This is the sandbox's own webhook, which stays.".to_owned(),
            ));
        }
        if let Some(channel) = floor.house.channels().find(|it| it.webhook_id == id) {
            return Err(in_use(format!("The channel {} uses this webhook.", channel.id)));
        }
        inner.dispatcher.webhooks(|all| all.remove(&id));
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Tries an address: 204 if it answers 2xx.
pub(super) async fn verify(
    State(inner): State<Arc<Inner>>,
    Body(body): Body<VerifyBody>,
) -> Result<StatusCode, Problem> {
    let mut findings = Findings::default();
    let address = address(body.uri.as_deref(), &mut findings);
    let version = body.version.filter(|it| VERIFY_VERSIONS.contains(&it.as_str()));
    if version.is_none() {
        let why = format!(
            "The version is required and must be {}.",
            VERIFY_VERSIONS.join(" or ")
        );
        findings.add("version", None, "invalid_version", &why);
    }
    let (Some(address), Some(version)) = (address, version) else {
        return Err(Problem::validation(&findings.0));
    };
    let verified = inner.dispatcher.verify(&address, &version).await;
    verified
        .map(|()| StatusCode::NO_CONTENT)
        .map_err(|why| refuse("webhook_not_verified", why))
}

fn refuse(code: &'static str, why: impl std::fmt::Display) -> Problem {
    Problem::general(StatusCode::BAD_REQUEST, &Fault::new(code, why.to_string()))
}

fn check(body: WebhookBody, id: String) -> Result<Webhook, Problem> {
    let mut findings = Findings::default();
    let name = body.name.unwrap_or_default();
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS {
        let why = format!("The name is required and may have at most {NAME_CHARACTERS} characters.");
        findings.add("name", None, "invalid_name", &why);
    }
    let address = address(body.uri.as_deref(), &mut findings);
    let versions = [
        ("version", body.version),
        ("notificationVersion", body.notification_version),
    ];
    if matches!(versions, [_, (_, None)]) {
        let why = format!("The notificationVersion is required and must be {VERSION}.");
        findings.add("notificationVersion", None, "missing_field", &why);
    }
    for (field, given) in &versions {
        if let Some(other) = given.as_deref().filter(|it| *it != VERSION) {
            let why = format!("The {field} must be {VERSION}.");
            findings.add(*field, Some(other), "invalid_version", &why);
        }
    }
    match address {
        Some(address) if findings.0.is_empty() => Ok(Webhook {
            id,
            name,
            address: Some(address),
        }),
        _ => Err(Problem::validation(&findings.0)),
    }
}

fn address(uri: Option<&str>, findings: &mut Findings) -> Option<Address> {
    let address = uri.and_then(Address::parse);
    if address.is_none() {
        let why = "The uri is required and must be absolute, with http or https.";
        findings.add("uri", uri, "invalid_uri", why);
    }
    address
}

fn none(id: &str) -> Problem {
    Problem::not_found(&format!("There is no webhook {id}."))
}

fn to_json(webhook: &Webhook) -> Value {
    let mut it = json!({"id": webhook.id, "name": webhook.name, "version": VERSION});
    if let Some(address) = &webhook.address {
        it["uri"] = Value::from(address.as_str());
    }
    it
}
