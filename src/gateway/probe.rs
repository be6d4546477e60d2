//! One request that tells how the vendor is reached, whatever it answers.

use std::sync::{Arc, atomic::AtomicBool};

use jiff::Timestamp;
use reqwest::header::DATE;
use tokio::time::{Instant, timeout};

use super::{
    Gateway, PageQuery, UpstreamError, UpstreamErrorKind, exchange::innermost, operation, problem::http_date,
};
use crate::event::TenantId;

/// How the vendor answered a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The HTTP status.
    pub status: u16,
    /// How long the answer's head took, in milliseconds.
    pub took_ms: i64,
    /// How far the vendor's clock is ahead of this machine's, in milliseconds, by the `Date` of the answer, which counts
    /// seconds; `None` where it has none.
    pub clock_ahead_ms: Option<i64>,
}

impl Probe {
    /// By how much `clock_ahead_ms` may be wrong: the half second that the header leaves out, and half the way.
    pub fn clock_error_ms(&self) -> i64 {
        500 + self.took_ms / 2
    }
}

impl Gateway {
    /// Asks for one webhook of the list: `GET /webhooks`, once, past all limits. Any answer is a success.
    ///
    /// Fails with [`UpstreamErrorKind::Unavailable`] where no answer came, and says why; with
    /// [`UpstreamErrorKind::Invalid`] where the request cannot be sent.
    pub async fn probe(&self, tenant: &TenantId) -> Result<Probe, UpstreamError> {
        let page = PageQuery {
            size: 1,
            ..PageQuery::default()
        };
        let call = self
            .prepare(&operation::LIST_WEBHOOKS, tenant, &["webhooks"])?
            .page(&page);
        let clients = self.clients();
        let call = call.build(clients, None, &Arc::new(AtomicBool::new(false)))?;
        let unavailable = |why: String| UpstreamError::new(UpstreamErrorKind::Unavailable, why);
        let (asked, began) = (Timestamp::now(), Instant::now());
        let answer = timeout(self.timeout(), clients.calls.execute(call.request)).await;
        let answer = answer
            .map_err(|_| unavailable(format!("no answer within {} ms", self.timeout().as_millis())))?
            .map_err(|error| unavailable(innermost(error)))?;
        let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let middle_ms = asked.as_millisecond() + took_ms / 2;
        Ok(Probe {
            status: answer.status().as_u16(),
            took_ms,
            // A second has begun when it is told, and may be nearly over.
            clock_ahead_ms: date
                .and_then(http_date)
                .map(|date| date.as_millisecond() + 500 - middle_ms),
        })
    }
}
