//! What is done with each event of a lane, faults included.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    ATTEMPTS, Event, FIRST_DELAY, LONGEST_DELAY, LaneId, Shared, VERIFY_ATTEMPTS,
    log::{Attempt, Outcome},
};
use crate::sandbox::{faults::OnWebhook, locked};

/// How often a lane is looked at for an event that is to overtake another.
const LOOK: Duration = Duration::from_millis(10);

impl Shared {
    /// Delivers the events of a lane until there are none.
    pub(super) async fn work_on(self: Arc<Self>, lane_id: LaneId) {
        while let Some(event) = self.next(&lane_id) {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.pass(&lane_id, event) => {}
            }
        }
    }

    /// Delivers an event, or the one behind it first, where a fault says so.
    async fn pass(&self, lane_id: &LaneId, event: Event) {
        let faults = self.faults.on_webhook(&event);
        if let Some(within) = faults.reorder
            && let Some(other) = self.next_within(lane_id, within).await
        {
            locked(&self.log).faulted(&event.id, "reorder");
            let of_other = self.faults.on_webhook(&other);
            self.deliver_with(other, &of_other).await;
        }
        self.deliver_with(event, &faults).await;
    }

    fn next(&self, lane_id: &LaneId) -> Option<Event> {
        let mut lanes = locked(&self.lanes);
        let next = lanes.events.get_mut(lane_id).and_then(VecDeque::pop_front);
        match next {
            Some(_) => lanes.waiting -= 1,
            None => drop(lanes.events.remove(lane_id)),
        }
        next
    }

    /// The next event of a lane that stays at work meanwhile.
    async fn next_within(&self, lane_id: &LaneId, within: Duration) -> Option<Event> {
        let end = Instant::now() + within;
        loop {
            {
                let mut lanes = locked(&self.lanes);
                if let Some(next) = lanes.events.get_mut(lane_id).and_then(VecDeque::pop_front) {
                    lanes.waiting -= 1;
                    return Some(next);
                }
            }
            if Instant::now() >= end {
                return None;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn deliver_with(&self, event: Event, faults: &OnWebhook) {
        let bytes = event.body.len();
        if let Some(delay) = faults.delay {
            locked(&self.log).faulted(&event.id, "delay");
            tokio::time::sleep(delay).await;
        }
        for forgery in &faults.forgeries {
            self.forge(&event, *forgery).await;
        }
        if faults.withheld {
            locked(&self.log).faulted(&event.id, "drop");
            self.close(&event.id, Outcome::Withheld);
        } else {
            if faults.copies > 0 {
                locked(&self.log).faulted(&event.id, "duplicate");
            }
            self.deliver(event, faults.copies).await;
        }
        locked(&self.lanes).bytes -= bytes;
    }

    /// Sends an event until it is taken, and then so many times more.
    async fn deliver(&self, mut event: Event, copies: u32) {
        let attempts = match event.conversation_id {
            Some(_) => ATTEMPTS,
            None => VERIFY_ATTEMPTS,
        };
        let mut delay = FIRST_DELAY;
        for attempt in 1..=attempts {
            let target = locked(&self.webhooks).target(&event.webhook_id);
            let outcome = match target {
                Some(url) => self.attempt_times(&event, url, copies).await,
                None => Attempt::unanswered("no webhook is set any more", Duration::ZERO),
            };
            let delivered = outcome.delivered();
            locked(&self.log).attempted(&event, &outcome);
            if delivered {
                return self.close(&event.id, Outcome::Delivered);
            }
            self.show(&event.id);
            if attempt < attempts {
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
                event.retry += 1;
            }
        }
        tracing::warn!(
            event = event.id,
            kind = event.event_type,
            "the sandbox gave up on a webhook"
        );
        self.close(&event.id, Outcome::Failed);
    }
}
