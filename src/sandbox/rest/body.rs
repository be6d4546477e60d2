//! Reads JSON bodies, and says precisely what is wrong with others.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use serde::de::DeserializeOwned;

use super::problem::{Fault, Problem};
use crate::sandbox::strict;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

/// A JSON body that may be left out, with the defaults in its place.
pub(crate) struct Optional<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = read(request, state).await?;
        parse(is_json, &bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Optional<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        parse(is_json, &bytes).map(Self)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        Problem::general(
            rejection.status(),
            &Fault::new("unreadable_body", "The body is too large or broke off."),
        )
    })
}

fn parse<T: DeserializeOwned>(is_json: bool, bytes: &Bytes) -> Result<T, Problem> {
    if !is_json {
        return Err(Problem::general(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            &Fault::new("unsupported_media_type", "The body must be application/json."),
        ));
    }
    strict::body(bytes).map_err(|error| {
        Problem::bad_request(&Fault::new(
            "invalid_json_object",
            format!("The body is not the JSON that is expected: {error}."),
        ))
    })
}

fn is_json(request: &Request) -> bool {
    let media_type = request
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}
