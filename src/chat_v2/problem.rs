//! What went wrong, in the shapes and the words of v2.
//!
//! A client of v2 knows nothing of gRPC, of Chatbridge's settings or of the Chat Gateway's names, so no sentence of another door is
//! repeated here: each failure has one of its own. What 8x8 says about a request is handed on.

mod failures;
#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    operation::{Operation, Shape},
    token::Unknown,
};
use crate::error::VIOLATIONS_MAX;

const MEDIA_TYPE: &str = "application/problem+json";
/// How much of what a client sent is repeated to it, in characters.
const SHOWN_MAX: usize = 100;

/// One field of a request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Its path, as in `history.messages[3].text`.
    pub(super) field: String,
    /// What was sent, where that is short and says something.
    pub(super) value: Option<String>,
    /// A stable word for what is wrong.
    pub(super) code: &'static str,
    /// The same as a sentence.
    pub(super) message: String,
}

impl Wrong {
    pub(super) fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: None,
            code,
            message: message.into(),
        }
    }

    pub(super) fn with(self, value: &str) -> Self {
        Self {
            value: Some(value.chars().take(SHOWN_MAX).collect()),
            ..self
        }
    }

    fn sentence(&self) -> String {
        match self.field.as_str() {
            "" => self.message.clone(),
            field => format!("{field}: {}", self.message),
        }
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    said: Said,
    retry_after: Option<Duration>,
    /// What 8x8's support asks for, where 8x8 failed.
    reference: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// 401 of everything but the token.
    Fault { text: &'static str, code: &'static str },
    /// What the token endpoint says.
    OAuth { code: &'static str, text: String },
    /// Fields that are wrong.
    Wrong(Vec<Wrong>),
    /// A sentence, and more of them.
    Plain { message: String, errors: Vec<String> },
    /// There is no such key.
    NoKey(String),
}

/// What a failure is about, for 404.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// v2's word for the kind of thing.
    pub(super) kind: &'static str,
    /// Its identifier.
    pub(super) id: &'a str,
}

impl About<'_> {
    /// Of nothing in particular.
    pub(super) const TENANT: About<'static> = About {
        kind: "Tenant",
        id: "",
    };
}

impl Problem {
    fn plain(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            said: Said::Plain {
                errors: vec![message.clone()],
                message,
            },
            retry_after: None,
            reference: None,
        }
    }

    fn said(status: StatusCode, said: Said) -> Self {
        Self {
            said,
            ..Self::plain(status, "")
        }
    }

    /// 400, with the fields that are wrong.
    pub(super) fn wrong(mut all: Vec<Wrong>) -> Self {
        all.truncate(VIOLATIONS_MAX);
        Self::said(StatusCode::BAD_REQUEST, Said::Wrong(all))
    }

    /// 400, with one field that is wrong.
    pub(super) fn one(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::wrong(vec![Wrong::new(field, code, message)])
    }

    /// 400 of the token endpoint, or another status.
    pub(super) fn oauth(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self::said(status, Said::OAuth { code, text })
    }

    /// 401: no token, or one that cannot be read.
    pub(super) fn no_token() -> Self {
        Self::from(Unknown::Invalid)
    }

    /// 403: the token is not good for it.
    pub(super) fn no_scope(scope: &str) -> Self {
        let mut it = Self::plain(StatusCode::FORBIDDEN, "Insufficient scope.");
        it.said = Said::Plain {
            message: "Insufficient scope.".into(),
            errors: vec![format!("The access token lacks the scope {scope}.")],
        };
        it
    }

    /// 403: the tenant is not the client's, whether or not there is one.
    pub(super) fn no_tenant(tenant: &str, client: &str) -> Self {
        let tenant: String = tenant.chars().take(SHOWN_MAX).collect();
        Self::said(
            StatusCode::FORBIDDEN,
            Said::Plain {
                message: "The tenant does not belong to customer.".into(),
                errors: vec![format!("Tenant {tenant} does not belong to customer {client}.")],
            },
        )
    }

    /// 404.
    pub(super) fn not_found(about: About<'_>) -> Self {
        let id: String = about.id.chars().take(SHOWN_MAX).collect();
        let text = format!("Resource of type {} with id {id} was not found.", about.kind);
        Self::plain(StatusCode::NOT_FOUND, text)
    }

    /// 404 of a path that v2 does not have.
    pub(super) fn no_path() -> Self {
        Self::plain(StatusCode::NOT_FOUND, "There is no such path.")
    }

    /// 405.
    pub(super) fn wrong_method() -> Self {
        let text = "This path does not take this method.";
        Self::plain(StatusCode::METHOD_NOT_ALLOWED, text)
    }

    /// 404 of a public key.
    pub(super) fn no_key(id: &str) -> Self {
        let id = id.chars().take(SHOWN_MAX).collect();
        Self::said(StatusCode::NOT_FOUND, Said::NoKey(id))
    }

    /// Whether it says that there is no such thing.
    pub(super) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// 409.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::plain(StatusCode::CONFLICT, message)
    }

    /// 412: it was changed since it was read.
    pub(super) fn changed() -> Self {
        let text = "The resource has another version than If-Match asks for: read it again.";
        Self::plain(StatusCode::PRECONDITION_FAILED, text)
    }

    /// 500: something that whoever runs this has to put right.
    pub(super) fn unprepared(message: &str) -> Self {
        Self::plain(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// 501: something that is not there.
    pub(super) fn missing(message: &str) -> Self {
        Self::plain(StatusCode::NOT_IMPLEMENTED, message)
    }

    /// 504: it took too long here.
    pub(super) fn too_long() -> Self {
        let text = "Could not process this request in time. It may or may not have taken effect.";
        Self::plain(StatusCode::GATEWAY_TIMEOUT, text)
    }

    fn too_many(retry_after: Option<Duration>) -> Self {
        Self {
            retry_after: retry_after.or(Some(Duration::from_secs(1))),
            ..Self::plain(StatusCode::TOO_MANY_REQUESTS, "Too many requests.")
        }
    }

    fn unavailable(retry_after: Option<Duration>) -> Self {
        Self {
            retry_after,
            ..Self::plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "Could not process this request now. It may be repeated.",
            )
        }
    }

    /// The status of the answer.
    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The same at the token endpoint, which has a shape of its own for all that is wrong.
    pub(super) fn at_token_endpoint(self) -> Self {
        let said = match self.said {
            Said::OAuth { .. } => self.said,
            Said::Wrong(all) => {
                let text = all.first().map(Wrong::sentence).unwrap_or_default();
                let code = "invalid_request";
                Said::OAuth { code, text }
            }
            Said::Plain { message, .. } if self.status.is_client_error() => Said::OAuth {
                code: "invalid_request",
                text: message,
            },
            other => other,
        };
        Self { said, ..self }
    }

    /// The answer of an operation.
    pub(super) fn answer(self, operation: &Operation) -> Response {
        let mut body = self.body(operation.shape);
        if self.status.is_server_error() {
            let reference = self.reference.unwrap_or_else(|| Uuid::new_v4().to_string());
            body["referenceId"] = reference.into();
        }
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, MEDIA_TYPE)],
            body.to_string(),
        )
            .into_response();
        let headers = response.headers_mut();
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = match self.said {
                Said::OAuth { .. } => "Basic realm=\"chat\"",
                _ => "Bearer realm=\"chat\"",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        response
    }

    #[cfg(test)]
    pub(super) fn body_for_tests(&self, operation: &Operation) -> Value {
        self.body(operation.shape)
    }

    fn body(&self, shape: Shape) -> Value {
        match &self.said {
            Said::Fault { text, code } => json!({
                "fault": { "faultstring": text, "detail": { "errorcode": code } }
            }),
            Said::OAuth { code, text } => json!({ "ErrorCode": code, "Error": text }),
            Said::Plain { message, errors } => json!({ "message": message, "errors": errors }),
            Said::Wrong(all) => match shape {
                Shape::Sentences => {
                    let errors: Vec<String> = all.iter().map(Wrong::sentence).collect();
                    json!({ "message": "Constraint Violation", "errors": errors })
                }
                Shape::Objects => validations(all),
            },
            Said::NoKey(id) => json!({
                "type": "ClientError",
                "title": "Resource not found.",
                "status": 404,
                "detail": "Resource may not exist or is not accessible.",
                "resourceType": "JWKPublic",
                "resourceId": id,
                "instance": "ResourceNotFound",
            }),
        }
    }
}

fn validations(all: &[Wrong]) -> Value {
    let errors: Vec<Value> = all
        .iter()
        .map(|wrong| json!({ "code": wrong.code, "message": wrong.sentence() }))
        .collect();
    let validations: Vec<Value> = all
        .iter()
        .map(|wrong| {
            let mut it = json!({ "field": wrong.field, "code": wrong.code, "message": wrong.message });
            if let Some(value) = &wrong.value {
                it["value"] = value.as_str().into();
            }
            it
        })
        .collect();
    json!({ "message": "Constraint Violation", "errors": errors, "validations": validations })
}

impl From<Unknown> for Problem {
    fn from(unknown: Unknown) -> Self {
        let (text, code) = match unknown {
            Unknown::Invalid => (
                "Invalid Access Token",
                "keymanagement.service.invalid_access_token",
            ),
            Unknown::Expired => (
                "Access Token expired",
                "keymanagement.service.access_token_expired",
            ),
        };
        Self::said(StatusCode::UNAUTHORIZED, Said::Fault { text, code })
    }
}
