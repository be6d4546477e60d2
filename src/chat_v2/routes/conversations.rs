//! `/conversations`, and who takes part in one.

use std::collections::BTreeMap;

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::json;
use crate::{
    chat_v2::{
        door::Call,
        page::Page,
        problem::{About, Problem, Wrong},
        read::object,
        translate::{
            conversation::{self, Status},
            customer,
        },
    },
    error::Error,
    gateway::{Conversation, Interaction, Listed, PageQuery, UpstreamErrorKind},
};

pub(super) const KIND: &str = "Conversation";
/// How conversations are read that 8x8 cannot tell from others, and how many pages of them at most.
const READ_SIZE: u32 = 100;
const READ_PAGES_MAX: u32 = 20;
/// How many conversations' interactions are asked for at once.
const JOINED_AT_ONCE: usize = 8;

/// Which conversations are asked for.
struct Wanted {
    channel: Option<String>,
    status: Status,
    is_descending: bool,
    /// v2's names of what a customer must have, each with its value.
    customer: Vec<(String, String)>,
}

impl Wanted {
    fn read(call: &Call) -> Result<Self, Problem> {
        let query = &call.query;
        let status = query.get("status").map_or(Ok(Status::All), str::parse)?;
        let is_descending = match query.get("order") {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => {
                let wrong = Wrong::new("order", "invalid_order", "must be asc or desc.");
                return Err(Problem::wrong(vec![wrong.with(other)]));
            }
        };
        let user = query
            .get("userId")
            .map(|id| ("customerId".to_owned(), id.to_owned()));
        let named = query.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("customer.")?;
            (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        });
        Ok(Self {
            channel: query.get("channel-id").map(str::to_owned),
            status,
            is_descending,
            customer: user.into_iter().chain(named).collect(),
        })
    }

    /// What 8x8 is asked for: all of them, and perhaps others.
    fn upstream(&self) -> PageQuery {
        let state = self.status.upstream().map(|state| format!("state=={state}"));
        let channel = self.channel.as_deref().filter(|id| is_argument(id));
        let channel = channel.map(|id| format!("channelId=={id}"));
        let direction = if self.is_descending { "desc" } else { "asc" };
        PageQuery {
            size: READ_SIZE,
            page: 0,
            sort: format!("createdAt:{direction}"),
            filter: state.into_iter().chain(channel).collect::<Vec<_>>().join(";"),
        }
    }

    /// Whether 8x8 can tell them from all others, so that its pages are theirs.
    fn is_upstreams(&self) -> bool {
        let channel = self.channel.as_deref().is_none_or(is_argument);
        channel && self.customer.is_empty() && self.status.is_upstreams()
    }

    fn fits(&self, it: &Conversation) -> bool {
        self.status.fits(it)
            && self.channel.as_ref().is_none_or(|id| *id == it.channel_id)
            && self
                .customer
                .iter()
                .all(|(name, value)| customer::field(&it.user, name) == Some(value))
    }
}

/// Whether a text can stand in a filter as it is.
fn is_argument(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || "();,'\"=*".contains(c))
}

/// Lists conversations.
pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    let page = Page::read(&call.query)?;
    let wanted = Wanted::read(&call)?;
    let (found, total, pages) = if wanted.is_upstreams() {
        let query = PageQuery {
            size: u32::try_from(page.size).unwrap_or(READ_SIZE),
            page: u32::try_from(page.index).unwrap_or(u32::MAX),
            ..wanted.upstream()
        };
        let listed = read(&call, &query).await?;
        let pages = listed.total_pages.and_then(|pages| usize::try_from(pages).ok());
        (
            listed.items,
            usize::try_from(listed.total).unwrap_or(usize::MAX),
            pages,
        )
    } else {
        let all = read_all(&call, &wanted).await?;
        let total = all.len();
        let skipped = page.index.saturating_mul(page.size);
        let found = all.into_iter().skip(skipped).take(page.size).collect();
        (found, total, None)
    };
    let joined = stream::iter(found).map(|it| {
        let call = &call;
        async move {
            let interactions = interactions(call, &it.id).await?;
            Ok::<_, Problem>(conversation::write(&it, &interactions))
        }
    });
    let items: Vec<Value> = joined.buffered(JOINED_AT_ONCE).try_collect().await?;
    Ok(json(StatusCode::OK, &page.answer(&items, total, pages)))
}

async fn read(call: &Call, query: &PageQuery) -> Result<Listed<Conversation>, Problem> {
    let listed = call.v2.calls.list(&call.tenant, query).await;
    listed.map_err(|error| Problem::of(error, About::TENANT))
}

async fn read_all(call: &Call, wanted: &Wanted) -> Result<Vec<Conversation>, Problem> {
    let mut query = wanted.upstream();
    let mut all = Vec::new();
    while query.page < READ_PAGES_MAX {
        let listed = read(call, &query).await?;
        let is_last = listed.is_last(&query);
        all.extend(listed.items.into_iter().filter(|it| wanted.fits(it)));
        if is_last {
            return Ok(all);
        }
        query.page += 1;
    }
    let problem = format!(
        "more than {} conversations would have to be looked through: name a channel-id or another status.",
        READ_SIZE * READ_PAGES_MAX
    );
    Err(Problem::one("status", "too_many_conversations", problem))
}

/// A conversation's interactions. One that is gone meanwhile has none.
async fn interactions(call: &Call, id: &str) -> Result<Vec<Interaction>, Problem> {
    match call.v2.calls.interactions(&call.tenant, id).await {
        Ok(listed) => Ok(listed.items),
        Err(Error::Upstream(error)) if error.kind == UpstreamErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Problem::of(error, About { kind: KIND, id })),
    }
}

/// Creates a conversation.
pub(super) async fn create(call: Call) -> Result<Response, Problem> {
    let new = conversation::read(&object(&call.body)?)?;
    let calls = &call.v2.calls;
    let (request, labels) = (call.request_id(), BTreeMap::new());
    let created = calls.create(&call.tenant, &request, &new, &labels).await;
    let created = created.map_err(|error| Problem::of(error, About::TENANT))?;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    Ok(json(
        StatusCode::ACCEPTED,
        &conversation::created(&created, now_ms),
    ))
}

/// Shows a conversation with its interactions.
pub(super) async fn show(call: Call) -> Result<Response, Problem> {
    let about = call.id("conversation", KIND)?;
    let calls = &call.v2.calls;
    let (it, interactions) = tokio::try_join!(
        calls.get(&call.tenant, about.id),
        calls.interactions(&call.tenant, about.id)
    )
    .map_err(|error| Problem::of(error, about))?;
    Ok(json(
        StatusCode::OK,
        &conversation::write(&it, &interactions.items),
    ))
}

/// Lists who took part.
pub(super) async fn participants(call: Call) -> Result<Response, Problem> {
    let about = call.id("conversation", KIND)?;
    let listed = call.v2.calls.participants(&call.tenant, about.id).await;
    let listed = listed.map_err(|error| Problem::of(error, about))?;
    Ok(json(StatusCode::OK, &conversation::participants(&listed.items)))
}

/// Lets the customer leave, which ends the interaction.
pub(super) async fn leave(call: Call) -> Result<Response, Problem> {
    let about = call.id("conversation", KIND)?;
    let ended = call.v2.calls.end(&call.tenant, about.id).await;
    ended.map_err(|error| Problem::of(error, about))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
