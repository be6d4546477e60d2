//! The live feed as server-sent events.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::Stream;
use serde_json::json;

use super::Refusal;
use crate::sandbox::{
    Inner,
    feed::{News, Reader},
};

/// Follows what happens, from now on or behind the `Last-Event-ID` that a browser sends when its connection broke.
pub(super) async fn follow(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let last = headers
        .get("last-event-id")
        .map(|it| it.to_str().unwrap_or_default());
    let last = last.map(str::parse::<u64>).transpose().map_err(|_| {
        let why = "The Last-Event-ID is the id of an event of this feed: a number.";
        Refusal::new(axum::http::StatusCode::BAD_REQUEST, why)
    })?;
    let reader = inner.dispatcher.feed().reader(last);
    let stop = inner.stop.clone();
    let hello = Event::default()
        .event("hello")
        .id(reader.at().to_string())
        .data("{}");
    let first = futures_util::stream::once(async move { Ok(hello) });
    let rest = futures_util::stream::unfold((reader, stop), |(mut reader, stop)| async move {
        let news = tokio::select! {
            () = stop.cancelled() => None,
            news = reader.next() => news,
        }?;
        let event = shown(&reader, news);
        Some((Ok(event), (reader, stop)))
    });
    let all = futures_util::StreamExt::chain(first, rest);
    Ok(Sse::new(all).keep_alive(KeepAlive::default()))
}

fn shown(reader: &Reader, news: News) -> Event {
    let event = Event::default().id(reader.at().to_string());
    match news {
        News::Item(item) => event.event(item.kind).data(item.data),
        News::Lost(items) => event.event("lost").data(json!({"items": items}).to_string()),
    }
}
