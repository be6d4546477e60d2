//! Error answers, in the shapes that the vendor documents. `shapes` knows which operation has which.

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

    pub(crate) fn message(&self) -> &str {
        &self.message
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

/// An error answer: what is to be said, before it is put in the shape of its operation.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(super) status: StatusCode,
    message: String,
    /// At least one.
    faults: Vec<Fault>,
    findings: Vec<Finding>,
    retry_after_s: Option<u32>,
}

/// How `errors` is written, and what stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A list of objects. The shape of most operations.
    Objects,
    /// A list of objects, and a reference.
    Traced,
    /// One object, and a reference.
    One,
    /// A list of strings.
    Strings,
}

impl Problem {
    /// One thing is wrong, and no field in particular.
    pub(crate) fn general(status: StatusCode, fault: &Fault) -> Self {
        Self {
            status,
            message: fault.message.clone(),
            faults: vec![fault.clone()],
            findings: Vec::new(),
            retry_after_s: None,
        }
    }

    /// 400, with the fields that are wrong.
    pub(crate) fn validation(findings: &[Finding]) -> Self {
        let message = match findings {
            [one] => one.fault.message.clone(),
            several => format!("{} fields of the request are invalid.", several.len()),
        };
        Self {
            status: StatusCode::BAD_REQUEST,
            message,
            faults: findings.iter().map(|f| f.fault.clone()).collect(),
            findings: findings.to_vec(),
            retry_after_s: None,
        }
    }

    /// 400.
    pub(crate) fn bad_request(fault: &Fault) -> Self {
        Self::general(StatusCode::BAD_REQUEST, fault)
    }

    /// 400 of the indicators and of what comes after the agent.
    pub(crate) fn invalid_parameter(message: &str) -> Self {
        Self::bad_request(&Fault::new("invalid_parameter", message))
    }

    /// 401.
    pub(crate) fn unauthorized() -> Self {
        let fault = Fault::new("access_denied", "The x-api-key header is missing or wrong.");
        Self::general(StatusCode::UNAUTHORIZED, &fault)
    }

    /// 403.
    pub(crate) fn forbidden(why: &str) -> Self {
        Self::general(StatusCode::FORBIDDEN, &Fault::new("forbidden", why))
    }

    /// Whatever status was asked for, as a fault.
    pub(crate) fn on_purpose(status: StatusCode, retry_after_s: Option<u32>) -> Self {
        Self {
            retry_after_s,
            ..Self::general(
                status,
                &Fault::new("on_purpose", "A fault that was set in the sandbox."),
            )
        }
    }

    /// 404.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::general(StatusCode::NOT_FOUND, &Fault::new("resource_not_found", what))
    }

    /// 404 of whatever is about a conversation.
    pub(crate) fn no_conversation(id: &str) -> Self {
        Self::not_found(&format!("There is no conversation with the id {id}."))
    }

    /// 404 of a message.
    pub(crate) fn no_message(conversation: &str, id: &str) -> Self {
        Self::not_found(&format!(
            "There is no message {id} in conversation {conversation}."
        ))
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

    /// The answer, in a shape.
    pub(super) fn answer(&self, shape: Shape) -> Response {
        let mut response = (
            self.status,
            [("content-type", "application/problem+json")],
            self.body(shape).to_string(),
        )
            .into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        response
    }

    fn body(&self, shape: Shape) -> Value {
        let objects = || self.faults.iter().map(Fault::to_json).collect::<Value>();
        match shape {
            Shape::Objects if self.findings.is_empty() => {
                json!({"message": self.message, "errors": objects()})
            }
            Shape::Objects => {
                let validations: Value = self.findings.iter().map(Finding::to_json).collect();
                json!({"message": self.message, "errors": objects(), "validations": validations})
            }
            Shape::Traced => {
                json!({"message": self.message, "errors": objects(), "referenceId": reference_id()})
            }
            Shape::One => {
                // There is room for one: the first.
                let first = self.faults.first();
                let message = first.map_or(&self.message, |fault| &fault.message);
                let error = first.map(Fault::to_json);
                json!({"message": message, "errors": error, "referenceId": reference_id()})
            }
            Shape::Strings => {
                let errors: Value = self.faults.iter().map(|f| f.message.as_str()).collect();
                json!({"message": self.message, "errors": errors})
            }
        }
    }
}

impl IntoResponse for Problem {
    /// In the shape of most operations. It goes along as it is, for those that have another.
    fn into_response(self) -> Response {
        let mut response = self.answer(Shape::Objects);
        response.extensions_mut().insert(self);
        response
    }
}

/// What support would ask for; here only a number that looks the part.
fn reference_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}
