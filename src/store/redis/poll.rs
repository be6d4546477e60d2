//! Asking several servers the same, and giving each request the time that it may take.

use std::time::Duration;

use futures_util::{
    FutureExt as _,
    stream::{FuturesUnordered, StreamExt as _},
};
use tokio::time::{Instant, timeout, timeout_at};

use crate::store::StoreError;

/// For how long, once one has answered, the others are listened to.
const OTHERS_WITHIN: Duration = Duration::from_millis(100);

/// Asks all at once, so that one that is silent costs nothing; what they answered, and the last failure.
pub(super) async fn ask_all<T>(
    asked: impl IntoIterator<Item = impl Future<Output = Result<T, StoreError>>>,
    within: Duration,
) -> (Vec<T>, Option<StoreError>) {
    let mut asked: FuturesUnordered<_> = asked.into_iter().collect();
    let mut until = Instant::now() + within;
    let (mut answers, mut failure) = (Vec::new(), None);
    while let Ok(Some(answer)) = timeout_at(until, asked.next()).await {
        match answer {
            Ok(answer) => {
                until = until.min(Instant::now() + OTHERS_WITHIN);
                answers.push(answer);
            }
            Err(error) => failure = Some(error),
        }
    }
    (answers, failure)
}

/// Gives a request up that takes too long, whatever it waits for. It may still be done.
pub(super) fn in_time<T>(
    within: Duration,
    request: impl Future<Output = Result<T, StoreError>>,
) -> impl Future<Output = Result<T, StoreError>> {
    let late = |_| StoreError::Unavailable("Redis did not do what it was asked in time".into());
    timeout(within, request).map(move |done| done.map_err(late)?)
}
