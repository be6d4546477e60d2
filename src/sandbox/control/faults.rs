//! Faults on demand.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{Input, Refusal, agents};
use crate::sandbox::{
    Inner,
    faults::{Fault, FaultPlan, Kind},
};

/// Lists the faults that are set.
pub(super) async fn list(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let all: Vec<Value> = inner
        .dispatcher
        .faults()
        .all()
        .iter()
        .map(Fault::to_json)
        .collect();
    Json(json!({"faults": all}))
}

/// Sets a fault. A rotation of keys happens at once and is not listed.
pub(super) async fn add(
    State(inner): State<Arc<Inner>>,
    Input(plan): Input<FaultPlan>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let bad = |why: String| Refusal::new(StatusCode::BAD_REQUEST, why);
    let kind = plan.check().map_err(|why| bad(why.to_string()))?;
    if let Kind::RotateKey { keep_old } = kind {
        return rotate(&inner, keep_old).await;
    }
    if let Kind::NeverAccepts(agent) = &kind
        && !inner.floor(|floor| floor.block(agent, true))
    {
        return Err(agents::unknown());
    }
    let fault = inner.dispatcher.faults().add(plan, kind).ok_or_else(|| {
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "There are 1000 faults already: end some.",
        )
    })?;
    tell(&inner, &fault, "set");
    Ok((StatusCode::CREATED, Json(fault.to_json())))
}

async fn rotate(inner: &Arc<Inner>, keep_old: bool) -> Result<(StatusCode, Json<Value>), Refusal> {
    let dispatcher = inner.dispatcher.clone();
    // A key takes long to make.
    let made = tokio::task::spawn_blocking(move || dispatcher.rotate_key(keep_old)).await;
    let failed = || {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The new key could not be made.",
        )
    };
    let kid = made.ok().and_then(Result::ok).ok_or_else(failed)?;
    let shown = json!({"kind": "rotateKey", "keepOld": keep_old, "kid": kid, "state": "done"});
    inner.dispatcher.feed().push("fault", || shown.clone());
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Ends a fault.
pub(super) async fn remove(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, Refusal> {
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "There is no such fault.");
    let fault = inner.dispatcher.faults().remove(id).ok_or_else(unknown)?;
    end(&inner, &fault);
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all.
pub(super) async fn clear(State(inner): State<Arc<Inner>>) -> StatusCode {
    for fault in inner.dispatcher.faults().clear() {
        end(&inner, &fault);
    }
    StatusCode::NO_CONTENT
}

fn end(inner: &Inner, fault: &Fault) {
    let faults = inner.dispatcher.faults().all();
    if let Kind::NeverAccepts(agent) = &fault.kind
        && !faults.iter().any(|it| it.kind == fault.kind)
    {
        inner.floor(|floor| floor.block(agent, false));
    }
    tell(inner, fault, "ended");
}

fn tell(inner: &Inner, fault: &Fault, state: &str) {
    inner.dispatcher.feed().push("fault", || {
        let mut shown = fault.to_json();
        shown["state"] = json!(state);
        shown
    });
}
