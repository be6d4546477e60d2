//! Error answers, in the shapes that the vendor documents. There are several, and each operation has its own.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    code: &'static str,
    message: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    fn to_json(&self) -> Value {
        json!({"code": self.code, "message": self.message})
    }
}

/// One field that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// Its path in the body: `history.messages[3].text`.
    pub(crate) field: String,
    /// What was sent, where that is short and says something.
    pub(crate) value: Option<String>,
    pub(crate) fault: Fault,
}

impl Finding {
    fn to_json(&self) -> Value {
        let mut it = self.fault.to_json();
        it["field"] = Value::from(self.field.as_str());
        if let Some(value) = &self.value {
            it["value"] = Value::from(value.as_str());
        }
        it
    }
}

/// An error answer.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Value,
    retry_after_s: Option<u32>,
}

impl Problem {
    fn new(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            body,
            retry_after_s: None,
        }
    }

    /// `errors` is a list of objects. The shape of most operations.
    pub(crate) fn general(status: StatusCode, fault: &Fault) -> Self {
        Self::new(
            status,
            json!({"message": fault.message, "errors": [fault.to_json()]}),
        )
    }

    /// 400 with `validations` beside `errors`.
    pub(crate) fn validation(findings: &[Finding]) -> Self {
        let message = match findings {
            [one] => one.fault.message.clone(),
            several => format!("{} fields of the request are invalid.", several.len()),
        };
        let errors: Vec<Value> = findings.iter().map(|f| f.fault.to_json()).collect();
        let validations: Vec<Value> = findings.iter().map(Finding::to_json).collect();
        Self::new(
            StatusCode::BAD_REQUEST,
            json!({"message": message, "errors": errors, "validations": validations}),
        )
    }

    /// `errors` is one object. The shape of what cannot be read, and of sending messages.
    pub(crate) fn bad_request(fault: &Fault) -> Self {
        Self::unreadable(StatusCode::BAD_REQUEST, fault)
    }

    /// As `bad_request`, with another status.
    pub(crate) fn unreadable(status: StatusCode, fault: &Fault) -> Self {
        Self::new(
            status,
            json!({"message": fault.message, "errors": fault.to_json(), "referenceId": reference_id()}),
        )
    }

    /// 400 of the indicators and of what comes after the agent: a list of objects and a reference.
    pub(crate) fn invalid_parameter(message: &str) -> Self {
        let fault = Fault::new("invalid_parameter", message);
        Self::new(
            StatusCode::BAD_REQUEST,
            json!({"message": message, "errors": [fault.to_json()], "referenceId": reference_id()}),
        )
    }

    /// 401.
    pub(crate) fn unauthorized() -> Self {
        let fault = Fault::new("access_denied", "The x-api-key header is missing or wrong.");
        Self::new(
            StatusCode::UNAUTHORIZED,
            json!({"message": fault.message, "errors": [fault.to_json()], "referenceId": reference_id()}),
        )
    }

    /// 403: `errors` is a list of strings.
    pub(crate) fn forbidden(why: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, json!({"message": why, "errors": [why]}))
    }

    /// 404: `errors` is a list of strings.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, json!({"message": what, "errors": [what]}))
    }

    /// 404 of most operations on a conversation.
    pub(crate) fn no_conversation(id: &str) -> Self {
        Self::not_found(&format!("There is no conversation with the id {id}."))
    }

    /// 404 of a message.
    pub(crate) fn no_message(conversation: &str, id: &str) -> Self {
        Self::not_found(&format!(
            "There is no message {id} in conversation {conversation}."
        ))
    }

    /// 404 of the indicators and the cards: `errors` is a list of objects.
    pub(crate) fn not_found_coded(what: &str) -> Self {
        Self::general(StatusCode::NOT_FOUND, &Fault::new("resource_not_found", what))
    }

    /// As `no_conversation`, in the shape of `not_found_coded`.
    pub(crate) fn no_conversation_coded(id: &str) -> Self {
        Self::not_found_coded(&format!("There is no conversation with the id {id}."))
    }

    /// 429 where another conversation does not fit.
    pub(crate) fn full(why: impl std::fmt::Display) -> Self {
        Self::too_many("too_many_conversations", why.to_string())
    }

    /// 429.
    pub(crate) fn too_many(code: &'static str, why: impl Into<String>) -> Self {
        Self {
            retry_after_s: Some(1),
            ..Self::general(StatusCode::TOO_MANY_REQUESTS, &Fault::new(code, why))
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (
            self.status,
            [("content-type", "application/problem+json")],
            self.body.to_string(),
        )
            .into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        response
    }
}

/// What support would ask for; here only a number that looks the part.
fn reference_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}
