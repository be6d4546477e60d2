//! Translations for whoever reads or writes in another language, where a translator is set up.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Input, Refusal};
use crate::sandbox::{
    Inner,
    translator::{Job, TEXT_CHARS, TranslateError},
};

/// How long a language tag is at most.
const TAG_CHARS: usize = 35;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TranslationBody {
    text: String,
    source: String,
    target: String,
}

/// Says whether there is a translator, and where.
pub(super) async fn translator(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let translator = inner.translator.as_ref();
    Json(json!({
        "host": translator.map(|it| it.host()),
        "onThisMachine": translator.map(|it| it.is_here()),
    }))
}

/// Translates a text. Nothing is kept of it.
pub(super) async fn translate(
    State(inner): State<Arc<Inner>>,
    Input(body): Input<TranslationBody>,
) -> Result<Json<Value>, Refusal> {
    let Some(translator) = &inner.translator else {
        let why = "Translation is off: no translator is configured.";
        return Err(Refusal::new(StatusCode::CONFLICT, why));
    };
    body.check()?;
    let job = Job {
        text: &body.text,
        source: &body.source,
        target: &body.target,
    };
    match translator.translate(&job).await {
        Ok(translated) => Ok(Json(json!({"translatedText": translated}))),
        Err(why) => {
            let status = match why {
                TranslateError::Slow { .. } => StatusCode::GATEWAY_TIMEOUT,
                TranslateError::Failed { .. } => StatusCode::BAD_GATEWAY,
            };
            Err(Refusal::new(
                status,
                format!("This could not be translated: {why}."),
            ))
        }
    }
}

impl TranslationBody {
    fn check(&self) -> Result<(), Refusal> {
        let bad = |why: String| Err(Refusal::new(StatusCode::BAD_REQUEST, why));
        if self.text.is_empty() || self.text.chars().nth(TEXT_CHARS).is_some() {
            return bad(format!("The text must have 1 to {TEXT_CHARS} characters."));
        }
        for (field, tag) in [("source", &self.source), ("target", &self.target)] {
            let plain = tag.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
            if tag.is_empty() || tag.len() > TAG_CHARS || !plain {
                return bad(format!("The {field} must be a language tag such as en or zh-CN."));
            }
        }
        Ok(())
    }
}
