//! Faults on demand: what is to go wrong, with which calls or webhooks, and how often.

mod plan;

use std::{sync::Mutex, time::Duration};

use serde_json::{Value, json};

pub(crate) use self::plan::{FaultPlan, Forgery, Kind};
use super::{delivery::Event, locked};

/// How many faults there may be at once.
const MOST: usize = 1_000;

/// A fault that is set.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) id: u64,
    pub(crate) plan: FaultPlan,
    pub(crate) kind: Kind,
    /// How often it has happened.
    pub(crate) hits: u64,
}

impl Fault {
    /// Whether it happens once more, which is counted.
    fn happens(&mut self) -> bool {
        let more = self.plan.times.is_none_or(|times| self.hits < u64::from(times));
        self.hits += u64::from(more);
        more
    }

    /// As the control API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let mut it = serde_json::to_value(&self.plan).unwrap_or_default();
        it["id"] = json!(self.id);
        it["hits"] = json!(self.hits);
        it
    }
}

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OnCall {
    pub(crate) latency: Option<Duration>,
    /// Answered in place of the sandbox: status, and after how many seconds to come back.
    pub(crate) status: Option<(u16, Option<u32>)>,
    /// The call is done, and its answer is lost.
    pub(crate) lost: bool,
}

/// What goes wrong with one webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OnWebhook {
    pub(crate) delay: Option<Duration>,
    /// How often the same request is sent besides.
    pub(crate) copies: u32,
    /// How long it waits for the next one of its conversation, to be overtaken.
    pub(crate) reorder: Option<Duration>,
    pub(crate) forgeries: Vec<Forgery>,
    pub(crate) withheld: bool,
}

/// All faults that are set, in the order in which they were.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Set>);

#[derive(Default)]
struct Set {
    last: u64,
    faults: Vec<Fault>,
}

impl Faults {
    /// Sets a fault; the number under which it is known, or nothing if there are too many.
    pub(crate) fn add(&self, plan: FaultPlan, kind: Kind) -> Option<Fault> {
        let mut set = locked(&self.0);
        if set.faults.len() >= MOST {
            return None;
        }
        set.last += 1;
        let fault = Fault {
            id: set.last,
            plan,
            kind,
            hits: 0,
        };
        set.faults.push(fault.clone());
        Some(fault)
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Fault> {
        locked(&self.0).faults.clone()
    }

    /// Ends a fault.
    pub(crate) fn remove(&self, id: u64) -> Option<Fault> {
        let mut set = locked(&self.0);
        let at = set.faults.iter().position(|it| it.id == id)?;
        Some(set.faults.remove(at))
    }

    /// Ends all.
    pub(crate) fn clear(&self) -> Vec<Fault> {
        std::mem::take(&mut locked(&self.0).faults)
    }

    /// What goes wrong with a call. Latencies add up; of the rest, the fault that was set first happens.
    pub(crate) fn on_call(&self, method: &str, path: &str) -> OnCall {
        let mut on_call = OnCall::default();
        let mut set = locked(&self.0);
        for fault in set.faults.iter_mut().filter(|it| it.plan.fits_call(method, path)) {
            let decided = on_call.lost || on_call.status.is_some();
            let due = match fault.kind {
                Kind::Latency(_) => true,
                Kind::Status(..) | Kind::LostAnswer => !decided,
                _ => false,
            };
            if !due || !fault.happens() {
                continue;
            }
            match fault.kind {
                Kind::Latency(more) => on_call.latency = Some(on_call.latency.unwrap_or_default() + more),
                Kind::Status(status, retry_after) => on_call.status = Some((status, retry_after)),
                _ => on_call.lost = true,
            }
        }
        on_call
    }

    /// What goes wrong with a webhook.
    pub(crate) fn on_webhook(&self, event: &Event) -> OnWebhook {
        let mut on_webhook = OnWebhook::default();
        let conversation = event.conversation_id.as_deref();
        let mut set = locked(&self.0);
        let faults = set.faults.iter_mut();
        for fault in faults.filter(|it| it.plan.fits_webhook(event.event_type, conversation)) {
            let about_webhooks = matches!(
                fault.kind,
                Kind::Delay(_) | Kind::Duplicate(_) | Kind::Reorder(_) | Kind::Forge(_) | Kind::Drop
            );
            if !about_webhooks || !fault.happens() {
                continue;
            }
            match fault.kind {
                Kind::Delay(more) => on_webhook.delay = Some(on_webhook.delay.unwrap_or_default() + more),
                Kind::Duplicate(copies) => on_webhook.copies += copies,
                Kind::Reorder(within) => on_webhook.reorder = Some(within),
                Kind::Forge(forgery) => on_webhook.forgeries.push(forgery),
                _ => on_webhook.withheld = true,
            }
        }
        on_webhook
    }
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    fn set(faults: &Faults, plan: Value) {
        let plan: FaultPlan = from_value(plan).unwrap();
        let kind = plan.check().unwrap();
        faults.add(plan, kind).unwrap();
    }

    #[test]
    fn a_fault_happens_as_often_as_was_asked_and_to_what_it_fits() {
        let faults = Faults::default();
        set(
            &faults,
            json!({"kind": "status", "status": 503, "times": 2, "method": "POST", "path": "/messages"}),
        );
        set(&faults, json!({"kind": "latency", "ms": 5}));
        set(&faults, json!({"kind": "lostAnswer", "method": "POST"}));
        let call = |method: &str, path: &str| faults.on_call(method, path);
        assert_eq!(call("GET", "/conversations/1/messages").status, None);
        for _ in 0..2 {
            let hit = call("POST", "/conversations/1/messages");
            assert_eq!((hit.status, hit.lost), (Some((503, None)), false));
        }
        let hit = call("POST", "/conversations/1/messages");
        assert_eq!((hit.status, hit.lost), (None, true), "the next one's turn");
        assert_eq!(hit.latency, Some(Duration::from_millis(5)));
        assert_eq!(
            faults.all().iter().map(|it| it.hits).collect::<Vec<_>>(),
            [2, 4, 1]
        );
        faults.remove(2).unwrap();
        assert!(faults.remove(2).is_none());
        assert_eq!(faults.clear().len(), 2);
        assert_eq!(call("POST", "/x"), OnCall::default());
    }

    #[test]
    fn a_verification_is_spared_unless_it_is_named() {
        let faults = Faults::default();
        set(&faults, json!({"kind": "drop"}));
        let event = |kind, conversation: Option<&str>| {
            let conversation = conversation.map(str::to_owned);
            Event::new("e".to_owned(), kind, conversation, "w".to_owned(), "{}")
        };
        assert!(faults.on_webhook(&event("MESSAGE", Some("c"))).withheld);
        assert!(!faults.on_webhook(&event("WEB_HOOK_VERIFY", None)).withheld);
        set(&faults, json!({"kind": "drop", "eventType": "WEB_HOOK_VERIFY"}));
        assert!(faults.on_webhook(&event("WEB_HOOK_VERIFY", None)).withheld);
    }
}
