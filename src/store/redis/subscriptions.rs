//! Named subscriptions: definitions, slots and members.

use std::collections::{BTreeMap, HashMap};

use ::redis::{Value, cmd};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future;

use super::{
    RedisStore,
    scripts::{COMMIT, Call, DEFINE, FORGET, MEMBERS, SLOTS, UNDEFINE},
    wire,
};
use crate::{
    event::TenantId,
    store::{
        Store as _, StoreError,
        subscription::{
            Committed, Defined, Enrolled, GONE_MS, LEASE_END_MAX_MS, MEMBERS_MAX, Member, Roster,
            SUBSCRIPTIONS_MAX, Slot, SlotAnswer, SlotOp, Slots, SubscriptionKey, SubscriptionStore,
        },
    },
};

fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} of a subscription cannot be read"))
}

#[async_trait]
impl SubscriptionStore for RedisStore {
    async fn define(&self, tenant: &TenantId, name: &str, definition: &Bytes) -> Result<Defined, StoreError> {
        let call = Call::new([self.keys.subscriptions(tenant)])
            .arg(name)
            .arg(definition.as_ref())
            .arg(SUBSCRIPTIONS_MAX);
        let mut answer = wire::array(self.link.script(&DEFINE, call).await?)?.into_iter();
        match wire::text(answer.next().unwrap_or_default())?.as_str() {
            "new" => Ok(Defined::New),
            "full" => Ok(Defined::Full),
            _ => wire::bytes(answer.next().unwrap_or_default()).map(Defined::Exists),
        }
    }

    async fn definition(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, StoreError> {
        let known: Option<Vec<u8>> = self
            .link
            .command(cmd("HGET").arg(self.keys.subscriptions(tenant)).arg(name))
            .await?;
        Ok(known.map(Bytes::from))
    }

    async fn definitions(
        &self,
        tenant: &TenantId,
        behind: &str,
        limit: usize,
    ) -> Result<Vec<(String, Bytes)>, StoreError> {
        let key = self.keys.subscriptions(tenant);
        let mut names: Vec<String> = self.reads.command(cmd("HKEYS").arg(&key)).await?;
        names.retain(|name| name.as_str() > behind);
        names.sort_unstable();
        names.truncate(limit);
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Option<Vec<u8>>> = self.reads.command(cmd("HMGET").arg(&key).arg(&names)).await?;
        // One that was deleted meanwhile is left out.
        let known = names.into_iter().zip(found);
        Ok(known
            .filter_map(|(name, found)| Some((name, found?.into())))
            .collect())
    }

    async fn undefine(&self, key: &SubscriptionKey, definition: &Bytes) -> Result<bool, StoreError> {
        let shares = (0..self.partitions()).map(Slots::Shares);
        let slots = shares
            .chain([Slots::Durable])
            .map(|slots| self.keys.slots(key, slots));
        let forgotten = slots.chain([self.keys.members(key)]).map(|key| {
            let call = Call::new([key]).arg(GONE_MS);
            self.link.script::<()>(&FORGET, call)
        });
        future::try_join_all(forgotten).await?;
        // Last: while it is known by its name, a deletion that was cut off can be repeated.
        let call = Call::new([self.keys.subscriptions(&key.tenant)])
            .arg(&key.name)
            .arg(definition.as_ref());
        Ok(self.link.script::<u8>(&UNDEFINE, call).await? == 1)
    }

    async fn slots(
        &self,
        key: &SubscriptionKey,
        slots: Slots,
        member: &str,
        lease_ms: u64,
        ops: &[(u16, SlotOp)],
    ) -> Result<Option<Vec<SlotAnswer>>, StoreError> {
        let mut call = Call::new([self.keys.slots(key, slots)])
            .arg(member)
            .arg(lease_ms)
            .arg(LEASE_END_MAX_MS);
        for (slot, op) in ops {
            let (word, generation, seq, position) = match op {
                SlotOp::Hold { generation } => ("hold", *generation, 0, None),
                SlotOp::Take => ("take", 0, 0, None),
                SlotOp::TakeOver => ("take over", 0, 0, None),
                SlotOp::Release { generation } => ("release", *generation, 0, None),
                SlotOp::Leave => ("leave", 0, 0, None),
                SlotOp::Advance {
                    generation,
                    seq,
                    position,
                } => ("advance", *generation, *seq, Some(position)),
            };
            let position = position.map_or([].as_slice(), |position| position.as_ref());
            call = call.arg(word).arg(*slot).arg(generation).arg(seq).arg(position);
        }
        let answer: Value = self.link.script(&SLOTS, call).await?;
        if answer == Value::Nil {
            return Ok(None);
        }
        wire::array(answer)?
            .into_iter()
            .map(slot_answer)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    async fn read_slots(&self, key: &SubscriptionKey, slots: Slots) -> Result<Vec<(u16, Slot)>, StoreError> {
        let fields: HashMap<String, Vec<u8>> = self
            .reads
            .command(cmd("HGETALL").arg(self.keys.slots(key, slots)))
            .await?;
        let mut found: BTreeMap<u16, Slot> = BTreeMap::new();
        for (field, value) in fields {
            let Some((kind, number)) = field.split_at_checked(1) else {
                continue;
            };
            // Whatever is no slot's field is a newer version's, or says that the subscription is gone.
            let Ok(number) = number.parse() else { continue };
            let slot = found.entry(number).or_default();
            let value = Value::BulkString(value);
            match kind {
                "o" => slot.owner = wire::text(value)?,
                "g" => slot.generation = wire::number(&value)?,
                "l" => slot.leased_until_ms = wire::number(&value)?,
                "q" => slot.seq = wire::number(&value)?,
                "c" => slot.committed_ms = wire::number(&value)?,
                "p" => slot.position = wire::bytes(value)?,
                _ => {}
            }
        }
        Ok(found.into_iter().collect())
    }

    async fn commit(
        &self,
        key: &SubscriptionKey,
        slots: Slots,
        slot: u16,
        generation: u64,
        seq: u64,
        position: &Bytes,
    ) -> Result<Committed, StoreError> {
        let call = Call::new([self.keys.slots(key, slots)])
            .arg(slot)
            .arg(generation)
            .arg(seq)
            .arg(position.as_ref());
        let answer: Value = self.link.script(&COMMIT, call).await?;
        match wire::text(answer)?.as_str() {
            "moved" => Ok(Committed::Moved),
            "before" => Ok(Committed::Before),
            "superseded" => Ok(Committed::Superseded),
            "unknown" => Ok(Committed::Unknown),
            _ => Err(unreadable("a slot")),
        }
    }

    async fn enrol(
        &self,
        key: &SubscriptionKey,
        member: &Member,
        oldest_age_ms: Option<u64>,
        lease_ms: u64,
    ) -> Result<Enrolled, StoreError> {
        let call = Call::new([self.keys.members(key)])
            .arg(&member.id)
            .arg(&member.name)
            .arg(member.shares)
            .arg(oldest_age_ms.map_or_else(String::new, |age| age.to_string()))
            .arg(lease_ms)
            .arg(MEMBERS_MAX)
            .arg(LEASE_END_MAX_MS);
        match self.link.script(&MEMBERS, call).await? {
            list @ Value::Array(_) => roster(list).map(Enrolled::Member),
            word => match wire::text(word)?.as_str() {
                "full" => Ok(Enrolled::Full),
                _ => Ok(Enrolled::Gone),
            },
        }
    }

    async fn strike(&self, key: &SubscriptionKey, member: &str) -> Result<(), StoreError> {
        self.link
            .command(cmd("HDEL").arg(self.keys.members(key)).arg(member))
            .await
    }

    async fn roster(&self, key: &SubscriptionKey) -> Result<Roster, StoreError> {
        let call = Call::new([self.keys.members(key)])
            .arg(&["", "", "", "", "", ""])
            .arg(LEASE_END_MAX_MS);
        match self.link.script(&MEMBERS, call).await? {
            list @ Value::Array(_) => roster(list),
            _ => Ok(Roster::default()),
        }
    }
}

fn slot_answer(answer: Value) -> Result<SlotAnswer, StoreError> {
    let mut answer = wire::array(answer)?.into_iter();
    let word = wire::text(answer.next().unwrap_or_default())?;
    let number = answer.next().unwrap_or_default();
    match word.as_str() {
        "done" => wire::number(&number).map(SlotAnswer::Done),
        "taken" => Ok(SlotAnswer::Taken {
            generation: wire::number(&number)?,
            position: wire::bytes(answer.next().unwrap_or_default())?,
        }),
        "busy" => Ok(SlotAnswer::Busy),
        _ => Err(unreadable("a slot")),
    }
}

fn roster(answer: Value) -> Result<Roster, StoreError> {
    let [now, records] = wire::array_of(answer)?;
    let mut records = wire::array(records)?.into_iter();
    let mut members = Vec::new();
    while let (Some(id), Some(record)) = (records.next(), records.next()) {
        members.push(member(wire::text(id)?, &wire::text(record)?).ok_or_else(|| unreadable("a member"))?);
    }
    members.sort_by(|a, b| (a.since_ms, &a.id).cmp(&(b.since_ms, &b.id)));
    Ok(Roster {
        now_ms: wire::number(&now)?,
        members,
    })
}

/// Reads a record of `members.lua`.
fn member(id: String, record: &str) -> Option<Member> {
    let mut fields = record.splitn(5, ':').skip(1);
    let mut number = || fields.next()?.parse::<u64>().ok();
    let (since_ms, shares, oldest_ms) = (number()?, number()?, number()?);
    Some(Member {
        id,
        since_ms,
        shares: u16::try_from(shares).ok()?,
        oldest_ms,
        name: fields.next()?.to_owned(),
    })
}
