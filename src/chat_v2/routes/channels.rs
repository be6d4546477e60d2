//! `/channels`: 8x8's channels, each with the client's webhook that hears of it.

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::{json, versioned};
use crate::{
    chat_v2::{
        door::Call,
        page::Page,
        problem::{About, Problem, Wrong},
        read::{ID_BYTES_MAX, object},
        translate::channel::{self, NewChannel},
    },
    gateway::{Channel, PageQuery},
    grpc::fiql,
    store::chat_v2::ChannelRecord,
};

const KIND: &str = "Channel";
/// How 8x8's channels are read, and how many pages of them at most: other types than v2's are among them, and are left out.
const READ_SIZE: u32 = 100;
const READ_PAGES_MAX: u32 = 20;
const FILTER_BYTES_MAX: usize = 2048;

/// Lists channels.
pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    let page = Page::read(&call.query)?;
    let all = read_all(&call).await?;
    let records = call.v2.store.channels(&call.tenant.id).await?;
    let body = page.cut(all, |it| {
        let webhook = records.get(&it.id).map(|record| record.webhook);
        channel::write(&it, webhook)
    });
    Ok(json(StatusCode::OK, &body))
}

async fn read_all(call: &Call) -> Result<Vec<Channel>, Problem> {
    let mut query = PageQuery {
        size: READ_SIZE,
        page: 0,
        sort: sort(call.query.get("sort").unwrap_or("id"))?,
        filter: filter(call.query.get("filter").unwrap_or_default())?,
    };
    let mut all = Vec::new();
    while query.page < READ_PAGES_MAX {
        let listed = call.v2.calls.channels(&call.tenant, &query).await;
        let listed = listed.map_err(|error| Problem::of(error, About::TENANT))?;
        let is_last = listed.is_last(&query);
        all.extend(listed.items.into_iter().filter(channel::is_v2s));
        if is_last {
            return Ok(all);
        }
        query.page += 1;
    }
    let problem = "There are too many channels to list them: name some by filter.";
    Err(Problem::one("filter", "too_many_channels", problem))
}

/// v2 names an attribute, 8x8 an attribute and a direction.
fn sort(given: &str) -> Result<String, Problem> {
    let (field, direction) = given.split_once(':').unwrap_or((given, "asc"));
    let is_field = !field.is_empty() && field.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    match is_field && given.len() <= ID_BYTES_MAX && matches!(direction, "asc" | "desc") {
        true => Ok(format!("{field}:{direction}")),
        false => {
            let problem = "must be an attribute, such as id or name.";
            Err(Problem::wrong(vec![
                Wrong::new("sort", "invalid_sort", problem).with(given),
            ]))
        }
    }
}

fn filter(given: &str) -> Result<String, Problem> {
    if given.is_empty() {
        return Ok(String::new());
    }
    if given.len() > FILTER_BYTES_MAX {
        return Err(Problem::one("filter", "too_long", "is too long."));
    }
    fiql::check(given).map_err(|error| Problem::one("filter", "invalid_filter", error.to_string()))?;
    if given.contains("webHookId") {
        // To 8x8 all of these channels go to the same webhook.
        let problem = "cannot tell channels by webHookId.";
        return Err(Problem::one("filter", "invalid_filter", problem));
    }
    Ok(given.to_owned())
}

/// Creates a channel.
pub(super) async fn create(call: Call) -> Result<Response, Problem> {
    let new = channel::read(&object(&call.body)?)?;
    let webhook = webhook(&call, &new).await?;
    let channel = new.upstream("", &upstream_webhook(&call)?);
    // In a task of its own, so that a client who leaves now does not leave half of it.
    let making = tokio::spawn(async move {
        let created = call
            .v2
            .calls
            .create_channel(&call.tenant, &call.request_id(), &channel)
            .await;
        let created = created.map_err(|error| Problem::of(error, About::TENANT))?;
        let bound = call
            .v2
            .store
            .bind_channel(&call.tenant.id, &created.id, webhook)
            .await;
        match bound {
            Ok(Some(record)) => Ok((created, record)),
            Ok(None) | Err(_) => {
                // Nobody would hear of its conversations, and whoever repeats the request would have two.
                let _ = call.v2.calls.delete_channel(&call.tenant, &created.id).await;
                match bound {
                    Err(error) => Err(error.into()),
                    _ => Err(no_webhook(&webhook.to_string())),
                }
            }
        }
    });
    let (created, record) = making.await.map_err(|_| failed())??;
    Ok(answer(&created, Some(record)))
}

/// Shows a channel.
pub(super) async fn show(call: Call) -> Result<Response, Problem> {
    let about = call.id("channel", KIND)?;
    let (channel, record) = read(&call, about).await?;
    Ok(answer(&channel, record))
}

/// Replaces a channel.
pub(super) async fn update(call: Call) -> Result<Response, Problem> {
    let about = call.id("channel", KIND)?;
    let expected = call.if_match()?;
    let new = channel::read(&object(&call.body)?)?;
    let webhook = webhook(&call, &new).await?;
    let (_, record) = read(&call, about).await?;
    let revision = record.map_or(0, |record| record.revision);
    if expected.is_some_and(|expected| expected != revision) {
        return Err(Problem::changed());
    }
    let channel = new.upstream(about.id, &upstream_webhook(&call)?);
    let replaced = call.v2.calls.replace_channel(&call.tenant, &channel).await;
    let replaced = replaced.map_err(|error| Problem::of(error, about))?;
    // Whoever repeats the request after a failure here does no harm.
    let store = &call.v2.store;
    let bound = store.bind_channel(&call.tenant.id, &replaced.id, webhook).await?;
    let record = bound.ok_or_else(|| no_webhook(&webhook.to_string()))?;
    Ok(answer(&replaced, Some(record)))
}

/// Takes a channel away.
pub(super) async fn delete(call: Call) -> Result<Response, Problem> {
    let about = call.id("channel", KIND)?;
    if let Err(problem) = read(&call, about).await {
        if problem.is_not_found() {
            // Somebody else has taken it away: its webhook is free all the same.
            call.v2.store.release_channel(&call.tenant.id, about.id).await?;
        }
        return Err(problem);
    }
    let deleted = call.v2.calls.delete_channel(&call.tenant, about.id).await;
    deleted.map_err(|error| Problem::of(error, about))?;
    call.v2.store.release_channel(&call.tenant.id, about.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read(call: &Call, about: About<'_>) -> Result<(Channel, Option<ChannelRecord>), Problem> {
    let channel = call.v2.calls.channel(&call.tenant, about.id).await;
    let channel = channel.map_err(|error| Problem::of(error, about))?;
    if !channel::is_v2s(&channel) {
        return Err(Problem::not_found(about));
    }
    let record = call.v2.store.channel(&call.tenant.id, about.id).await?;
    Ok((channel, record))
}

fn answer(channel: &Channel, record: Option<ChannelRecord>) -> Response {
    let body = channel::write(channel, record.map(|record| record.webhook));
    versioned(&body, record.map_or(0, |record| record.revision))
}

/// The client's webhook that a channel names.
async fn webhook(call: &Call, new: &NewChannel) -> Result<u64, Problem> {
    let unknown = || no_webhook(&new.webhook);
    let id = new.webhook.parse().map_err(|_| unknown())?;
    let known = call.v2.store.webhook(&call.tenant.id, id).await?;
    known.map(|record| record.id).ok_or_else(unknown)
}

fn no_webhook(id: &str) -> Problem {
    let wrong = Wrong::new("webHookId", "invalid_webhook", "must be that of a webhook.");
    Problem::wrong(vec![wrong.with(id)])
}

/// 8x8's webhook that delivers to us.
fn upstream_webhook(call: &Call) -> Result<String, Problem> {
    let policy = call.v2.policy.now();
    let known = policy.webhooks.get(&call.tenant.id).cloned();
    known.ok_or_else(|| {
        Problem::unprepared(
            "Channels cannot be changed here: whoever runs this service has not said which webhook of the contact centre \
             delivers to it.",
        )
    })
}

fn failed() -> Problem {
    Problem::unprepared("Could not process this request due to an internal error.")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_sorted_by_upwards() {
        assert_eq!(sort("name").unwrap(), "name:asc");
        assert_eq!(sort("id:desc").unwrap(), "id:desc");
        for bad in ["", ":asc", "id:up", "a b", "id&page=3"] {
            assert!(sort(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn filters_are_looked_at() {
        assert_eq!(filter("").unwrap(), "");
        assert!(filter("name==Cosmin,(routingOptions.id==11)").is_ok());
        for bad in ["name", "webHookId==3", "name="] {
            assert_eq!(filter(bad).is_err(), bad != "name", "{bad}");
        }
    }
}
