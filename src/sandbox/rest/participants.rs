//! `/conversations/{id}/participants`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Body,
    page::PageRequest,
    problem::{Fault, Problem},
};
use crate::sandbox::{
    Inner,
    floor::conversation::{Author, Member},
    strict::present,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchBody {
    #[serde(default, deserialize_with = "present")]
    removed: Option<bool>,
}

/// Lists who took part. The vendor's description gives this list no paging parameters: all are on one page.
pub(super) async fn list(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = PageRequest::whole();
    inner.floor(|floor| {
        let conversation = floor
            .conversation(&id)
            .ok_or_else(|| Problem::no_conversation(&id))?;
        let language = conversation.user.language.as_deref();
        let items: Vec<&Member> = conversation.members.iter().collect();
        Ok(page.answer(&uri, "participants", items, |it| to_json(it, language)))
    })
}

/// Lets the customer leave, which ends the interaction.
pub(super) async fn patch_user(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<PatchBody>,
) -> Result<StatusCode, Problem> {
    if body.removed != Some(true) {
        let fault = Fault::new(
            "invalid_parameter",
            "The only change of the customer is removed: true.",
        );
        return Err(Problem::general(StatusCode::BAD_REQUEST, &fault));
    }
    let left = inner.floor(|floor| floor.act(&id, |scene| scene.customer_leaves()));
    left.map(|()| StatusCode::NO_CONTENT)
        .ok_or_else(|| Problem::no_conversation(&id))
}

fn to_json(member: &Member, language: Option<&str>) -> Value {
    let mut it = json!({
        "id": member.who.id(),
        "type": member.who.kind(),
        "removed": !member.present,
    });
    if let (Author::User, Some(language)) = (&member.who, language) {
        it["language"] = Value::from(language);
    }
    it
}
