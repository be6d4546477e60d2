//! Calls that may be repeated: their records, the ledger of what was sent, and customers' conversations.

use std::borrow::Cow;

use ::redis::{Pipeline, Value};
use bytes::Bytes;

use super::{
    RedisStore,
    keys::{call_print, echo_print, ledger_print},
    scripts::{ANNOUNCE, BEGIN, BIND_CUSTOMER, CONCLUDE, CUSTOMER, Call, FINISH, LEDGER, RELEASE_CUSTOMER},
    sealed_call::open_call,
    wire,
};
use crate::store::{
    Announcement, Begun, Concluded, Customer, CustomerKey, Finished, IdempotencyKey, Ledger, LedgerEntry,
    LedgerKey, LedgerState, StoreError,
    ledger::{ECHOES_MAX, MEMBERS_MAX, kept_ms},
};

/// What is kept of a call, as it is encrypted.
const MARK: &str = "call mark";
const ANSWER: &str = "call answer";

impl RedisStore {
    pub(super) async fn begin_call(
        &self,
        key: &IdempotencyKey,
        digest: &[u8; 32],
        mark: &[u8],
        nonce: u64,
        lease_ms: u64,
    ) -> Result<Begun, StoreError> {
        let mark = self.seal_call(key, MARK, mark).await?;
        let call = || {
            Call::new([self.keys.idempotency(key)])
                .arg(digest.as_slice())
                .arg(&*mark)
                .arg(lease_ms)
                .arg(self.retention.idempotency_ms)
                .arg(nonce)
        };
        let answer: Value = match self.link.script(&BEGIN, call()).await {
            // The record may be there, and only its answer lost: the nonce tells that it is this call's own.
            Err(StoreError::Unavailable(_)) => self.link.script(&BEGIN, call()).await?,
            answer => answer?,
        };
        let mut answer = wire::array(answer)?.into_iter();
        let word = wire::text(answer.next().unwrap_or_default())?;
        let bytes = answer.next().map_or(Ok(Bytes::new()), wire::bytes)?;
        match word.as_str() {
            "new" => Ok(Begun::New),
            "in flight" => Ok(Begun::InFlight),
            "reused" => Ok(Begun::Reused),
            "done" => open_call(self.vault.as_deref(), key, ANSWER, bytes)
                .await
                .map(Begun::Done),
            "unknown" => open_call(self.vault.as_deref(), key, MARK, bytes)
                .await
                .map(Begun::Unknown),
            _ => Err(StoreError::Corrupt("an idempotency record cannot be read".into())),
        }
    }

    pub(super) async fn finish_call(
        &self,
        key: &IdempotencyKey,
        nonce: u64,
        finished: &Finished,
    ) -> Result<(), StoreError> {
        let (word, answer) = match finished {
            Finished::Done(answer) => ("done", answer.as_ref()),
            Finished::NotSent => ("not sent", [].as_slice()),
            Finished::Unknown => ("unknown", [].as_slice()),
        };
        let answer = match finished {
            Finished::Done(_) => self.seal_call(key, ANSWER, answer).await?,
            Finished::NotSent | Finished::Unknown => answer.into(),
        };
        let call = Call::new([self.keys.idempotency(key)])
            .arg(word)
            .arg(&*answer)
            .arg(nonce);
        self.link.script(&FINISH, call).await
    }

    async fn seal_call<'a>(
        &self,
        key: &IdempotencyKey,
        what: &str,
        plain: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, StoreError> {
        match &self.vault {
            Some(vault) => vault.seal_call(key, what, plain).await,
            None => Ok(plain.into()),
        }
    }

    /// A call of a script about an announcement: ledger, prints, awaited echoes.
    fn about(&self, announcement: &Announcement) -> Call {
        let ledger = &announcement.ledger;
        let partition = self.keys.partition(&ledger.key);
        let echo = announcement
            .echo
            .as_ref()
            .map(|echo| self.keys.echo(partition, &ledger.key, &echo.fingerprint));
        let names = [self.keys.ledger(ledger), self.keys.prints(partition, &ledger.key)];
        Call::new(names.into_iter().chain(echo)).arg(&announcement.token)
    }

    fn ledger_ms(&self) -> u64 {
        kept_ms(self.retention.idempotency_ms)
    }

    pub(super) async fn enter(&self, announcement: &Announcement) -> Result<(), StoreError> {
        let echo = announcement.echo.as_ref();
        let call = self
            .about(announcement)
            .arg(self.ledger_ms())
            .arg(echo_value(announcement))
            .arg(self.retention.idempotency_ms)
            .arg(ECHOES_MAX)
            .arg(MEMBERS_MAX)
            .arg(ledger_print(&announcement.ledger))
            .arg(echo.map(|echo| echo_print(&echo.fingerprint)).unwrap_or_default())
            .arg(announcement.telling.as_ref().map(call_print).unwrap_or_default());
        self.link.script(&ANNOUNCE, call).await
    }

    pub(super) async fn enter_outcome(
        &self,
        announcement: &Announcement,
        concluded: &Concluded,
    ) -> Result<(), StoreError> {
        let (word, result) = match concluded {
            Concluded::Accepted(result) => ("accepted", result.as_str()),
            Concluded::Withdrawn => ("withdrawn", ""),
            Concluded::Unknown => ("unknown", ""),
        };
        let call = self
            .about(announcement)
            .arg(word)
            .arg(result)
            .arg(self.ledger_ms())
            .arg(echo_value(announcement))
            .arg(ledger_print(&announcement.ledger));
        self.link.script(&CONCLUDE, call).await
    }

    pub(super) async fn enter_accepted(
        &self,
        at_ms: u64,
        operations: &[(LedgerKey, String)],
    ) -> Result<(), StoreError> {
        if operations.is_empty() {
            return Ok(());
        }
        let mut pipeline = Pipeline::new();
        // Of a connection that breaks in between, nothing may be left that lives for ever.
        pipeline.atomic();
        for (ledger, token) in operations {
            let key = self.keys.ledger(ledger);
            pipeline.cmd("ZADD").arg(&key).arg("NX").arg(at_ms);
            pipeline.arg(format!("A{token}\0")).ignore();
            pipeline.cmd("PEXPIRE").arg(&key).arg(self.ledger_ms()).ignore();
            let prints = self.keys.prints(self.keys.partition(&ledger.key), &ledger.key);
            pipeline
                .cmd("ZADD")
                .arg(&prints)
                .arg(at_ms)
                .arg(ledger_print(ledger))
                .ignore();
            pipeline
                .cmd("PEXPIRE")
                .arg(&prints)
                .arg(self.ledger_ms())
                .ignore();
        }
        self.link.pipeline(&pipeline).await
    }

    pub(super) async fn read_ledger(&self, ledger: &LedgerKey) -> Result<Ledger, StoreError> {
        let call = Call::new([self.keys.ledger(ledger)])
            .arg(self.ledger_ms())
            .arg(MEMBERS_MAX);
        let answer: Value = self.link.script(&LEDGER, call).await?;
        let [now, members] = wire::array_of(answer)?;
        let mut members = wire::array(members)?.into_iter();
        let (mut entries, mut is_cut) = (Vec::new(), false);
        while let (Some(member), Some(announced)) = (members.next(), members.next()) {
            match wire::text(member)?.as_str() {
                "T" => is_cut = true,
                member => entries.push(entry(member, wire::number(&announced)?)?),
            }
        }
        Ok(Ledger::new(
            entries,
            is_cut,
            wire::number(&now)?,
            self.retention.idempotency_ms,
        ))
    }

    pub(super) async fn find_customer(
        &self,
        key: &CustomerKey,
        attempt: &str,
    ) -> Result<Customer, StoreError> {
        let call = Call::new([self.keys.customer(key)])
            .arg(attempt)
            .arg(self.retention.idempotency_ms)
            .arg(self.retention.session_ms);
        let answer: Value = self.link.script(&CUSTOMER, call).await?;
        let [word, id, age_ms] = wire::array_of(answer)?;
        let id = wire::text(id)?;
        match wire::text(word)?.as_str() {
            "conversation" => Ok(Customer::Conversation {
                id,
                age_ms: wire::number(&age_ms)?,
            }),
            _ => Ok(Customer::Attempt(id)),
        }
    }

    pub(super) async fn note_customer(
        &self,
        key: &CustomerKey,
        conversation: &str,
        attempt: Option<&str>,
    ) -> Result<(), StoreError> {
        let call = Call::new([self.keys.customer(key)])
            .arg(conversation)
            .arg(self.retention.session_ms)
            .arg(attempt.unwrap_or_default());
        self.link.script(&BIND_CUSTOMER, call).await
    }

    pub(super) async fn forget_customer(
        &self,
        key: &CustomerKey,
        conversation: &str,
    ) -> Result<(), StoreError> {
        let call = Call::new([self.keys.customer(key)]).arg(conversation);
        self.link.script(&RELEASE_CUSTOMER, call).await
    }
}

/// What stands for a send in the list of awaited echoes. No `request_id` has a colon.
fn echo_value(announcement: &Announcement) -> String {
    let request_id = announcement
        .echo
        .as_ref()
        .map_or("", |echo| echo.request_id.as_str());
    format!("{request_id}:{}", announcement.token)
}

/// Reads a member of a ledger.
fn entry(member: &str, announced_ms: u64) -> Result<LedgerEntry, StoreError> {
    let unreadable = || StoreError::Corrupt("an entry of the ledger of sends cannot be read".into());
    let (state, rest) = member.split_at_checked(1).ok_or_else(unreadable)?;
    let (token, result) = rest.split_once('\0').unwrap_or((rest, ""));
    let state = match state {
        "S" => LedgerState::Sending,
        "U" => LedgerState::Unknown,
        "A" => LedgerState::Accepted(result.to_owned()),
        _ => return Err(unreadable()),
    };
    Ok(LedgerEntry {
        token: token.to_owned(),
        announced_ms,
        state,
    })
}
