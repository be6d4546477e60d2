//! Idempotency records.

use bytes::Bytes;

use super::shelf::Shelf;
use crate::store::{Begun, Finished, IdempotencyKey};

/// Idempotency records.
#[derive(Clone, Default)]
pub(super) struct Calls(Shelf<IdempotencyKey, Call>);

#[derive(Clone)]
struct Call {
    digest: [u8; 32],
    mark: Bytes,
    nonce: u64,
    state: State,
}

#[derive(Clone)]
enum State {
    Sending { since_ms: u64 },
    Done(Bytes),
    Unknown,
}

impl Calls {
    pub(super) fn sweep(&mut self, now: u64) {
        self.0.sweep(now);
    }

    pub(super) fn begin(
        &mut self,
        key: &IdempotencyKey,
        digest: &[u8; 32],
        mark: &[u8],
        nonce: u64,
        lease_ms: u64,
        (now, expires_ms): (u64, u64),
    ) -> Begun {
        let Some(call) = self.0.get(key, now) else {
            let call = Call {
                digest: *digest,
                mark: Bytes::copy_from_slice(mark),
                nonce,
                state: State::Sending { since_ms: now },
            };
            self.0.put(key.clone(), call, expires_ms);
            return Begun::New;
        };
        if call.digest != *digest {
            return Begun::Reused;
        }
        match &call.state {
            State::Done(answer) => Begun::Done(answer.clone()),
            // The same call, whose first answer was lost.
            State::Sending { .. } if call.nonce == nonce => Begun::New,
            State::Sending { since_ms } if now.saturating_sub(*since_ms) < lease_ms => Begun::InFlight,
            State::Sending { .. } | State::Unknown => Begun::Unknown(call.mark.clone()),
        }
    }

    /// Erases what a call was answered. It may have happened, for all that is known of it then.
    pub(super) fn erase(&mut self, key: &IdempotencyKey, now: u64) {
        if let Some(call) = self.0.get_mut(key, now)
            && !matches!(call.state, State::Sending { .. })
        {
            call.state = State::Unknown;
            call.mark = Bytes::new();
        }
    }

    /// That a call was done is final, and only the call that began can say that nothing was sent.
    pub(super) fn finish(&mut self, key: &IdempotencyKey, nonce: u64, finished: &Finished, now: u64) {
        let Some(call) = self.0.get_mut(key, now) else {
            return;
        };
        if matches!(call.state, State::Done(_)) {
            return;
        }
        match finished {
            Finished::Done(answer) => {
                call.state = State::Done(answer.clone());
                // Nobody will look for it any more.
                call.mark = Bytes::new();
            }
            Finished::Unknown => call.state = State::Unknown,
            Finished::NotSent if call.nonce == nonce => self.0.remove(key),
            Finished::NotSent => {}
        }
    }
}
