//! Outboxes of webhooks of Chat API v2. All keys of a tenant's outboxes lie in one slot, since an event moves from one outbox to
//! another. `outbox/part.lua` says what each holds.

use std::{borrow::Cow, sync::Arc};

use ::redis::{Cmd, FromRedisValue, Pipeline, Value, cmd};
use async_trait::async_trait;

use super::{
    RedisStore,
    durable::Write,
    scripts::{Call, OUTBOX, Script},
    wire,
};
use crate::{
    event::{ConversationKey, EntryId, TenantId},
    store::{
        StoreError,
        outbox::{
            Claim, Claimed, DeadLetter, DeadReason, Due, Enqueued, OutboxState, OutboxStore, Settlement,
            UNROUTED, Waiting,
        },
    },
};

/// How many events are moved, put back or erased in one step: Redis does nothing else meanwhile.
const STEP: usize = 256;

/// Of how many outboxes one is told in one round trip.
const TOLD_AT_ONCE: usize = 128;

/// How long the key lives that is written behind an event, in milliseconds.
const PROBE_MS: u64 = 10_000;

/// The longest lease or pause, in milliseconds: with the time it is still exact as a number of Lua.
const LONGEST_MS: u64 = 1 << 52;

/// The most that is asked for at once: Redis counts with signed numbers.
const MOST: usize = 1 << 31;

/// How many bytes of an event in an outbox are behind the name of its conversation: a NUL, and its place.
const PLACE_BYTES: usize = 1 + 3 * 16;

/// A conversation's name without a NUL, which ends it in an outbox.
fn escaped(conversation: &str) -> Cow<'_, str> {
    if conversation.contains(['\0', '\x01']) {
        conversation
            .replace('\x01', "\x01\x02")
            .replace('\0', "\x01\x01")
            .into()
    } else {
        conversation.into()
    }
}

/// What [`escaped`] was made of.
fn unescaped(name: &str) -> String {
    name.replace("\x01\x01", "\0").replace("\x01\x02", "\x01")
}

/// An event as an outbox has it. Of a conversation they are in the order of the log: its time never falls, and a log that began anew
/// did so later.
fn stored(event: &Waiting) -> String {
    let EntryId { epoch, ms, n } = event.entry;
    format!("{}\0{ms:016x}{n:016x}{epoch:016x}", escaped(&event.conversation))
}

fn unreadable() -> StoreError {
    StoreError::Corrupt("an event in an outbox cannot be read".into())
}

/// Reads what [`stored`] made.
fn parse(stored: &str) -> Option<Waiting> {
    let (name, place) = stored.split_at_checked(stored.len().checked_sub(PLACE_BYTES)?)?;
    let place = place.strip_prefix('\0')?;
    let number = |at: usize| u64::from_str_radix(place.get(at..at + 16)?, 16).ok();
    Some(Waiting {
        conversation: unescaped(name),
        entry: EntryId {
            ms: number(0)?,
            n: number(16)?,
            epoch: number(32)?,
        },
    })
}

fn waiting(event: Value) -> Result<Waiting, StoreError> {
    parse(&wire::text(event)?).ok_or_else(unreadable)
}

fn count(value: &Value) -> Result<u32, StoreError> {
    u32::try_from(wire::number(value)?).map_err(|_| unreadable())
}

fn claim(event: Value, tries: &Value, token: u64) -> Result<Claim, StoreError> {
    Ok(Claim {
        event: waiting(event)?,
        tries: count(tries)?,
        token,
    })
}

/// A dead letter, and its score.
fn dead_letter((letter, at_us): (String, f64)) -> Result<DeadLetter, StoreError> {
    let read = || {
        let mut parts = letter.splitn(3, ':');
        let (reason, tries) = (DeadReason::parse(parts.next()?)?, parts.next()?.parse().ok()?);
        Some(DeadLetter {
            event: parse(parts.next()?)?,
            reason,
            tries,
            dead_ms: at_us as u64 / 1000,
        })
    };
    read().ok_or_else(|| StoreError::Corrupt("a dead letter cannot be read".into()))
}

/// How a settlement is told to the script.
fn settled(call: Call, claim: &Claim, settlement: Settlement) -> Call {
    match settlement {
        Settlement::Delivered => call.arg("delivered"),
        Settlement::Dropped => call.arg("dropped"),
        Settlement::Dead(reason) => call.arg("dead").arg(reason.as_str()).arg(claim.tries),
        Settlement::Failed {
            conversation_ms,
            webhook_ms,
            streak,
        } => call
            .arg("failed")
            .arg(conversation_ms.min(LONGEST_MS))
            .arg(webhook_ms.min(LONGEST_MS))
            .arg(streak),
    }
}

/// How an outbox is doing, from its four answers; `None` where there is nothing to tell.
fn state(webhook: u64, answers: &[Value], now_ms: u64) -> Result<Option<OutboxState>, StoreError> {
    let [waiting, claimed, dead, fields] = answers else {
        return Err(unreadable());
    };
    let [streak, since, paused] = wire::array_of(fields.clone())?;
    let number = |field: Value| match field {
        Value::Nil => Ok(0),
        field => wire::number(&field),
    };
    let state = OutboxState {
        webhook,
        waiting: wire::number(waiting)?,
        claimed: wire::number(claimed)?,
        dead: wire::number(dead)?,
        streak: u32::try_from(number(streak)?).map_err(|_| unreadable())?,
        failing_since_ms: number(since)?,
        paused_until_ms: Some(number(paused)?)
            .filter(|ms| *ms > now_ms)
            .unwrap_or_default(),
    };
    let is_any = state.waiting + state.dead + state.paused_until_ms > 0;
    Ok(is_any.then_some(state))
}

impl RedisStore {
    /// A call about one outbox.
    fn outbox_call(&self, tenant: &TenantId, webhook: u64) -> Call {
        let keys = self.keys.outbox(tenant, webhook);
        Call::new([self.keys.outboxes(tenant)].into_iter().chain(keys)).arg(webhook)
    }

    /// A call about two.
    fn outboxes_call(&self, tenant: &TenantId, webhooks: [u64; 2]) -> Call {
        let keys = webhooks
            .into_iter()
            .flat_map(|webhook| self.keys.outbox(tenant, webhook));
        Call::new([self.keys.outboxes(tenant)].into_iter().chain(keys))
    }

    /// Runs a script, and waits for replicas as an append does. `WAIT` tells of the last write of its connection, so there must be
    /// one even where the event waited already.
    async fn enqueue_durably(
        &self,
        tenant: &TenantId,
        script: &Arc<Script>,
        call: Call,
    ) -> Result<u64, StoreError> {
        if self.wait.is_none() {
            return self.link.script(script, call).await;
        }
        let enqueue = Write {
            command: script.command(&call),
            script: Some(Arc::clone(script)),
        };
        let mut probe = cmd("SET");
        probe.arg(self.keys.outbox_probe(tenant)).arg("");
        probe.arg("PX").arg(PROBE_MS);
        let answers = self
            .topology
            .write(vec![vec![enqueue, Write::command(&probe)]])
            .await?;
        wire::number(answers.first().unwrap_or(&Value::Nil))
    }

    /// Runs a command, and asks for the time of whoever answers it.
    async fn with_time<T: FromRedisValue>(&self, command: Cmd) -> Result<(T, u64), StoreError> {
        let mut commands = Pipeline::new();
        commands.add_command(command).cmd("TIME");
        let (answer, (seconds, micros)): (T, (u64, u64)) = self.reads.pipeline(&commands).await?;
        Ok((answer, seconds * 1000 + micros / 1000))
    }

    /// Takes a conversation's events and dead letters out of all outboxes of its tenant.
    pub(super) async fn erase_from_outboxes(&self, key: &ConversationKey) -> Result<(), StoreError> {
        let mut all = cmd("ZRANGE");
        all.arg(self.keys.outboxes(&key.tenant)).arg(0).arg(-1);
        let webhooks: Vec<u64> = self.link.command(&all).await?;
        for webhook in webhooks {
            loop {
                let call = self
                    .outbox_call(&key.tenant, webhook)
                    .arg(&*escaped(&key.conversation))
                    .arg(STEP);
                if self.link.script::<u64>(&OUTBOX.erase, call).await? == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl OutboxStore for RedisStore {
    async fn enqueue(
        &self,
        tenant: &TenantId,
        webhook: u64,
        event: &Waiting,
        most: u64,
    ) -> Result<Enqueued, StoreError> {
        let call = match webhook {
            UNROUTED => self.outbox_call(tenant, webhook),
            _ => self.outboxes_call(tenant, [webhook, UNROUTED]).arg(webhook),
        };
        let call = call
            .arg(&*escaped(&event.conversation))
            .arg(stored(event))
            .arg(most);
        match self.enqueue_durably(tenant, &OUTBOX.enqueue, call).await? {
            0 => Ok(Enqueued::Full),
            _ => Ok(Enqueued::Waits),
        }
    }

    async fn due(&self, tenant: &TenantId, limit: usize) -> Result<Due, StoreError> {
        let mut soonest = cmd("ZRANGEBYSCORE");
        soonest
            .arg(self.keys.outboxes(tenant))
            .arg(&["-inf", "(+inf", "WITHSCORES", "LIMIT", "0"])
            .arg(limit.min(MOST) + 1);
        let (soonest, now_ms): (Vec<(u64, f64)>, _) = self.with_time(soonest).await?;
        let is_due = |(_, at_ms): &&(u64, f64)| *at_ms <= now_ms as f64;
        let due = soonest.iter().take(limit).take_while(is_due);
        let webhooks: Vec<u64> = due.map(|(webhook, _)| *webhook).collect();
        let next = soonest.get(webhooks.len());
        Ok(Due {
            next_in_ms: next.map(|(_, at_ms)| (*at_ms as u64).saturating_sub(now_ms)),
            webhooks,
        })
    }

    async fn claim(
        &self,
        tenant: &TenantId,
        webhook: u64,
        most: usize,
        lease_ms: u64,
    ) -> Result<Claimed, StoreError> {
        // Never one that was given before, and exact as Lua's numbers are.
        let token = rand::random_range(1..1 << 52);
        let call = self
            .outbox_call(tenant, webhook)
            .arg(most.min(MOST))
            .arg(lease_ms.clamp(1, LONGEST_MS))
            .arg(token);
        let mut answer = wire::array(self.link.script(&OUTBOX.claim, call).await?)?.into_iter();
        let streak = count(&answer.next().unwrap_or_default())?;
        let mut claims = Vec::new();
        while let (Some(event), Some(tries)) = (answer.next(), answer.next()) {
            claims.push(claim(event, &tries, token)?);
        }
        Ok(Claimed { claims, streak })
    }

    async fn settle(
        &self,
        tenant: &TenantId,
        webhook: u64,
        settles: &Claim,
        settlement: Settlement,
        lease_ms: u64,
    ) -> Result<Option<Claim>, StoreError> {
        let following = settles.token.wrapping_add(1);
        let call = self
            .outbox_call(tenant, webhook)
            .arg(&*escaped(&settles.event.conversation))
            .arg(stored(&settles.event))
            .arg(settles.token)
            .arg(following)
            .arg(lease_ms.clamp(1, LONGEST_MS));
        let call = settled(call, settles, settlement);
        let answer: Value = self.link.script(&OUTBOX.settle, call).await?;
        if answer == Value::Nil {
            return Ok(None);
        }
        let [event, tries] = wire::array_of(answer)?;
        claim(event, &tries, following).map(Some)
    }

    async fn route(&self, tenant: &TenantId, claim: &Claim, to: u64) -> Result<bool, StoreError> {
        if to == UNROUTED {
            return Ok(false);
        }
        loop {
            let call = self
                .outboxes_call(tenant, [UNROUTED, to])
                .arg(to)
                .arg(&*escaped(&claim.event.conversation))
                .arg(claim.token)
                .arg(STEP);
            match self.link.script::<i64>(&OUTBOX.route, call).await? {
                0 => return Ok(true),
                1 => {}
                _ => return Ok(false),
            }
        }
    }

    async fn outboxes(&self, tenant: &TenantId) -> Result<Vec<OutboxState>, StoreError> {
        let mut all = cmd("ZRANGE");
        all.arg(self.keys.outboxes(tenant)).arg(0).arg(-1);
        let (mut webhooks, now_ms): (Vec<u64>, u64) = self.with_time(all).await?;
        webhooks.sort_unstable();
        let mut states = Vec::new();
        for webhooks in webhooks.chunks(TOLD_AT_ONCE) {
            let mut commands = Pipeline::new();
            for webhook in webhooks {
                let [waiting, _, claimed, _, state, dead] = self.keys.outbox(tenant, *webhook);
                commands.cmd("ZCARD").arg(waiting);
                commands
                    .cmd("ZCOUNT")
                    .arg(claimed)
                    .arg(format!("({now_ms}"))
                    .arg("+inf");
                commands.cmd("ZCARD").arg(dead);
                commands
                    .cmd("HMGET")
                    .arg(state)
                    .arg(&["streak", "since", "paused"]);
            }
            let answers: Vec<Value> = self.reads.pipeline(&commands).await?;
            for (webhook, answers) in webhooks.iter().zip(answers.chunks(4)) {
                states.extend(state(*webhook, answers, now_ms)?);
            }
        }
        Ok(states)
    }

    async fn dead_letters(
        &self,
        tenant: &TenantId,
        webhook: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let [.., dead] = self.keys.outbox(tenant, webhook);
        let mut newest = cmd("ZREVRANGEBYSCORE");
        newest
            .arg(dead)
            .arg(&["+inf", "-inf", "WITHSCORES", "LIMIT", "0"]);
        let letters: Vec<(String, f64)> = self.reads.command(newest.arg(limit.min(MOST))).await?;
        letters.into_iter().map(dead_letter).collect()
    }

    async fn revive(&self, tenant: &TenantId, webhook: u64) -> Result<u64, StoreError> {
        let [.., dead] = self.keys.outbox(tenant, webhook);
        let mut newest = cmd("ZRANGE");
        newest.arg(dead).arg(-1).arg(-1).arg("WITHSCORES");
        // What dies again meanwhile is not revived again.
        let newest: Vec<(String, String)> = self.link.command(&newest).await?;
        let last = newest.into_iter().next().map_or("-inf".into(), |(_, at)| at);
        let (mut revived, mut behind) = (0, "-inf".to_owned());
        loop {
            let call = self
                .outbox_call(tenant, webhook)
                .arg(&behind)
                .arg(&last)
                .arg(STEP);
            let mut answer = wire::array(self.link.script(&OUTBOX.revive, call).await?)?.into_iter();
            revived += wire::number(&answer.next().unwrap_or_default())?;
            match answer.next() {
                Some(at) => behind = wire::text(at)?,
                None => return Ok(revived),
            }
        }
    }

    async fn discard(&self, tenant: &TenantId, webhook: u64) -> Result<u64, StoreError> {
        self.link
            .script(&OUTBOX.discard, self.outbox_call(tenant, webhook))
            .await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(conversation: &str, epoch: u64, ms: u64, n: u64) -> Waiting {
        Waiting {
            conversation: conversation.to_owned(),
            entry: EntryId { epoch, ms, n },
        }
    }

    proptest! {
        #[test]
        fn an_event_is_read_back(
            conversation in "[\0\x01\x02a-cß]{0,6}", epoch: u64, ms: u64, n: u64,
        ) {
            let event = event(&conversation, epoch, ms, n);
            let stored = stored(&event);
            prop_assert_eq!(stored.matches('\0').count(), 1);
            prop_assert_eq!(parse(&stored), Some(event));
        }

        #[test]
        fn of_a_conversation_they_are_in_the_order_of_the_log(a: (u64, u64), b: (u64, u64), epochs: (u64, u64)) {
            let (first, second) = (event("c", epochs.0, a.0, a.1), event("c", epochs.1, b.0, b.1));
            prop_assume!(a != b);
            prop_assert_eq!(stored(&first).cmp(&stored(&second)), a.cmp(&b));
        }

        #[test]
        fn whatever_is_stored_is_read_or_refused(stored in ".{0,60}") {
            let _ = parse(&stored);
        }
    }
}
