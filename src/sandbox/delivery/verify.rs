//! Tries whether a webhook can be reached.

use std::time::Duration;

use serde_json::json;

use super::{
    Address, Dispatcher, Event,
    log::{Attempt, Outcome},
};
use crate::sandbox::{locked, new_id};

/// The version of events that this sandbox sends.
pub(super) const VERSION: &str = "Chat Gateway v1.0";
/// How long a caller waits for a verification.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why an address is not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error(
        "This sandbox verifies addresses of its own machine only, such as http://127.0.0.1:8080/webhooks/8x8."
    )]
    FarAway,
    #[error("The webhook answered {0}, which is not 2xx.")]
    Refused(u16),
    #[error("The webhook did not answer: {0}.")]
    Silent(&'static str),
}

/// What a verification sends.
pub(super) fn event(webhook_id: &str, version: &str) -> Event {
    let body = json!({"eventType": "WEB_HOOK_VERIFY", "notificationVersion": version});
    Event::new(
        new_id(),
        "WEB_HOOK_VERIFY",
        None,
        webhook_id.to_owned(),
        body.to_string(),
    )
}

impl Dispatcher {
    /// Sends a verification to an address, once, and waits for the answer.
    pub(crate) async fn verify(&self, address: &Address, version: &str) -> Result<(), VerifyError> {
        let url = address.reachable().ok_or(VerifyError::FarAway)?;
        // It belongs to no webhook: a repeat of it goes to the default one.
        let event = event(super::DEFAULT_WEBHOOK, version);
        self.0.opened(&event);
        let attempt = tokio::time::timeout(PATIENCE, self.0.attempt(&event, url.clone())).await;
        let attempt = attempt.unwrap_or_else(|_| Attempt::unanswered("no answer within 5 s", PATIENCE));
        locked(&self.0.log).attempted(&event, &attempt);
        let outcome = if attempt.delivered() {
            Outcome::Delivered
        } else {
            Outcome::Failed
        };
        self.0.close(&event.id, outcome);
        match (attempt.status(), attempt.error()) {
            _ if attempt.delivered() => Ok(()),
            (Some(status), _) => Err(VerifyError::Refused(status)),
            (None, error) => Err(VerifyError::Silent(error.unwrap_or("the connection broke"))),
        }
    }
}
