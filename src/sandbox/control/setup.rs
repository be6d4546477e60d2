//! How the contact centre is set up, and what is known of customers.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Input, Refusal};
use crate::sandbox::{
    Inner,
    floor::{setup::Setup, user::User},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Who {
    user_id: Option<String>,
    email: Option<String>,
}

/// Shows the whole of it.
pub(super) async fn show(State(inner): State<Arc<Inner>>) -> Json<Setup> {
    Json(inner.floor(|floor| floor.house.setup.clone()))
}

/// Sets it up anew. What is left out is as in every sandbox.
pub(super) async fn replace(
    State(inner): State<Arc<Inner>>,
    Input(setup): Input<Setup>,
) -> Result<StatusCode, Refusal> {
    let done = inner.floor(|floor| floor.set_up(setup));
    done.map(|()| StatusCode::NO_CONTENT)
        .map_err(|why| Refusal::new(StatusCode::BAD_REQUEST, why.to_string()))
}

/// Lists the queues and how many wait in each.
pub(super) async fn queues(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let all: Vec<Value> = inner.floor(|floor| {
        let queues = floor.house.setup.queues.iter();
        queues
            .map(|queue| {
                let waiting = floor.conversations().filter(|it| it.waits_in(&queue.id)).count();
                let serving = floor.roster.serving(queue);
                let agents: Vec<&str> = serving.map(|it| it.setup.id.as_str()).collect();
                json!({"id": queue.id, "name": queue.name, "skill": queue.skill,
                    "waiting": waiting, "agents": agents})
            })
            .collect()
    });
    Json(json!({"queues": all}))
}

/// Looks a customer up by user id, else by e-mail, as is done for whoever writes.
pub(super) async fn customer(
    State(inner): State<Arc<Inner>>,
    Query(who): Query<Who>,
) -> Result<Json<Value>, Refusal> {
    if who.user_id.is_none() && who.email.is_none() {
        let why = "Give userId, email, or both, in the query.";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, why));
    }
    let user = User {
        user_id: who.user_id,
        email: who.email,
        ..User::default()
    };
    let found = inner.floor(|floor| floor.house.setup.customer(&user).map(|it| json!(it)));
    found
        .map(Json)
        .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "No such customer is known."))
}
