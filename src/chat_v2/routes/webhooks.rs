//! `/web-hooks`.

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::{json, versioned};
use crate::{
    chat_v2::{
        door::Call,
        page::Page,
        problem::{About, Problem},
        read::object,
        translate::webhook::Definition,
    },
    store::{
        StoreError,
        chat_v2::{Removed, Replaced, WEBHOOKS_MAX, WebhookRecord},
    },
};

const KIND: &str = "WebHook";

/// Lists webhooks, the first registered first.
pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    let page = Page::read(&call.query)?;
    let all = call.v2.store.webhooks(&call.tenant.id).await?;
    let all: Vec<_> = all
        .iter()
        .map(|record| decode(record).map(|definition| (record.id, definition)))
        .collect::<Result<_, _>>()?;
    let body = page.cut(all, |(id, definition)| definition.write(id));
    Ok(json(StatusCode::OK, &body))
}

/// Registers a webhook.
pub(super) async fn create(call: Call) -> Result<Response, Problem> {
    let definition = Definition::read(&object(&call.body)?)?;
    let store = &call.v2.store;
    let record = store.add_webhook(&call.tenant.id, &definition.encode()).await?;
    let record = record.ok_or_else(|| {
        Problem::conflict(format!(
            "There are {WEBHOOKS_MAX} webhooks, which is the most: delete one."
        ))
    })?;
    Ok(versioned(&definition.write(record.id), record.revision))
}

/// Shows a webhook.
pub(super) async fn show(call: Call) -> Result<Response, Problem> {
    let (about, id) = id(&call)?;
    let record = call.v2.store.webhook(&call.tenant.id, id).await?;
    let record = record.ok_or_else(|| Problem::not_found(about))?;
    Ok(versioned(&decode(&record)?.write(id), record.revision))
}

/// Replaces a webhook.
pub(super) async fn update(call: Call) -> Result<Response, Problem> {
    let (about, id) = id(&call)?;
    let expected = call.if_match()?;
    let definition = Definition::read(&object(&call.body)?)?;
    let store = &call.v2.store;
    let kept = definition.encode();
    match store
        .replace_webhook(&call.tenant.id, id, expected, &kept)
        .await?
    {
        Replaced::Done(revision) => Ok(versioned(&definition.write(id), revision)),
        Replaced::Unknown => Err(Problem::not_found(about)),
        Replaced::Changed => Err(Problem::changed()),
    }
}

/// Takes a webhook away that no channel goes to.
pub(super) async fn delete(call: Call) -> Result<Response, Problem> {
    let (about, id) = id(&call)?;
    match call.v2.store.remove_webhook(&call.tenant.id, id).await? {
        Removed::Done => {
            // Whoever is about to send to it finds out by itself.
            call.v2.outbox.discard(&call.tenant.id, id).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Removed::Unknown => Err(Problem::not_found(about)),
        Removed::InUse(channel) => Err(Problem::conflict(format!(
            "Channel {channel} uses this webhook: give it another first."
        ))),
    }
}

/// Tries an address: what v2 sent to one is sent, once, and must be answered 2xx.
pub(super) async fn verify(call: Call) -> Result<Response, Problem> {
    let definition = Definition::read_to_verify(&object(&call.body)?)?;
    let Some(outgoing) = &call.v2.outgoing else {
        return Err(Problem::missing(
            "Webhooks cannot be verified here: whoever runs this service has set no key to sign them with.",
        ));
    };
    let verified = outgoing.verify(&call.tenant.id, &definition.uri, &definition.version);
    verified
        .await
        .map_err(|undelivered| Problem::one("uri", "webhook_not_verified", undelivered.to_string()))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The webhook that the path names. They are numbers, so that nothing else is one.
fn id(call: &Call) -> Result<(About<'_>, u64), Problem> {
    let about = call.id("webhook", KIND)?;
    let id = about.id.parse().map_err(|_| Problem::not_found(about))?;
    Ok((about, id))
}

fn decode(record: &WebhookRecord) -> Result<Definition, Problem> {
    let unreadable = || StoreError::Corrupt("a webhook of Chat API v2 cannot be read".into());
    Definition::decode(record).ok_or_else(|| unreadable().into())
}
