//! Appending an event once, and letting go of what the log keeps no longer.
//!
//! An event's id is claimed for its body, which is what tells a repeated delivery from a forgery. Where the claim is in
//! reach of the script that appends, the two are one step and one round trip. On a cluster the claim is a step of its own:
//! it lies in another slot than the partition, and must, since a forgery may name a conversation of another partition. Either
//! way understands what the other wrote, so a log can be moved to a cluster.

use std::{sync::Arc, time::Duration};

use ::redis::{Cmd, cmd};

use super::{
    Claims, RedisStore,
    durable::Write,
    keys::hash,
    link::WITHIN,
    poll::in_time,
    scripts::{Call, Constants, Script, TRIM},
    sealed_session::seal_change,
    wire::{self, Attempt},
};
use crate::store::{
    Append, Appended, StoreError,
    entry::{
        format::{OLDEST, content_for},
        seal_content,
    },
    seal::DataKey,
};

/// How often an append looks for the data key again, which was erased each time.
const KEYS_TRIED: usize = 4;

/// How often appending trims a partition, in its entries.
const TRIM_EVERY: u64 = 256;

/// The scripts that append in one format.
pub(super) struct Appends {
    format: u16,
    plain: Arc<Script>,
    sealed: Arc<Script>,
}

impl Appends {
    pub(super) fn new(format: u16, constants: &Constants) -> Self {
        Self {
            format,
            plain: Arc::new(Script::append(format, constants)),
            sealed: Arc::new(Script::append_sealed(format, constants)),
        }
    }
}

/// What a claim tells.
enum Claimed {
    /// The id was free, or was claimed for this body.
    Yes,
    /// It was claimed for this body, and the event is in the log.
    InLog,
    /// It was claimed for another body.
    ByAnother,
}

impl RedisStore {
    pub(super) async fn append_event(&self, event: &Append) -> Result<Appended, StoreError> {
        // However many steps it takes: whoever delivers the event waits for all of them.
        let within = WITHIN + self.wait.map_or(Duration::ZERO, |wait| wait.within);
        in_time(within, self.append_in_steps(event)).await
    }

    async fn append_in_steps(&self, event: &Append) -> Result<Appended, StoreError> {
        let hash = hash(&[event.key.tenant.as_str(), &event.event_id]);
        let claim = self.keys.claim(&hash);
        if self.claims == Claims::WithAppend
            && let Some(appended) = self.append_unless(event, &claim, None).await?
        {
            return Ok(appended);
        }
        // Rare on one server, and each append would carry its size.
        Box::pin(self.append_claimed(event, &hash, claim)).await
    }

    /// Claims an event's id in a step of its own, and appends the event.
    async fn append_claimed(
        &self,
        event: &Append,
        hash: &str,
        claim: String,
    ) -> Result<Appended, StoreError> {
        match self.claim(&claim, &event.digest).await? {
            Claimed::InLog => return self.found(&claim).await,
            Claimed::ByAnother => return Ok(Appended::Forged),
            Claimed::Yes => {}
        }
        let seen = self.keys.seen(self.keys.partition(&event.key), hash);
        // Where it is waited for, it is written once more, because a fail-over since may have lost it.
        let claim = cmd("SET")
            .arg(claim)
            .arg(&event.digest)
            .arg("PX")
            .arg(self.retention.dedupe_ms)
            .clone();
        let appended = self.append_unless(event, &seen, Some(&claim)).await?;
        appended.ok_or_else(|| StoreError::Corrupt("the mark of an event cannot be read".into()))
    }

    /// Claims an event's id for its body.
    async fn claim(&self, claim: &str, digest: &[u8; 32]) -> Result<Claimed, StoreError> {
        let before: Option<Vec<u8>> = self
            .link
            .command(
                cmd("SET")
                    .arg(claim)
                    .arg(digest.as_slice())
                    .arg(&["NX", "GET", "PX"])
                    .arg(self.retention.dedupe_ms),
            )
            .await?;
        Ok(match before {
            None => Claimed::Yes,
            Some(known) if known == digest => Claimed::Yes,
            Some(known) if known == mark(digest) => Claimed::InLog,
            Some(_) => Claimed::ByAnother,
        })
    }

    /// An event that is in the log, which must be on as many replicas as a new one.
    async fn found(&self, claim: &str) -> Result<Appended, StoreError> {
        if self.wait.is_some() {
            self.topology.write(vec![vec![self.renewal(claim)]]).await?;
        }
        Ok(Appended::Duplicate)
    }

    /// `WAIT` tells of the last write of its connection, so there must be one even where the event was there already.
    fn renewal(&self, marked: &str) -> Write {
        Write::command(cmd("PEXPIRE").arg(marked).arg(self.retention.dedupe_ms))
    }

    /// Appends an event unless `marked` says that it is in the log. `None`: its id was claimed in a step of its own, which
    /// does not tell whether it is. `claim` is that step, to be made again where replicas are waited for.
    async fn append_unless(
        &self,
        event: &Append,
        marked: &str,
        claim: Option<&Cmd>,
    ) -> Result<Option<Appended>, StoreError> {
        for _ in 0..KEYS_TRIED {
            let key = match &self.vault {
                Some(vault) => Box::pin(vault.to_seal(&event.key)).await?,
                None => None,
            };
            let attempt = self.attempt(event, marked, claim, key.as_deref()).await?;
            match (attempt, &self.vault) {
                (Attempt::Appended(appended), vault) => {
                    self.follow_up(event, &appended);
                    if let (Some(vault), Appended::New { clock_behind_ms, .. }) = (vault, &appended) {
                        Box::pin(vault.prolong(&event.key, *clock_behind_ms)).await?;
                    }
                    return Ok(Some(appended));
                }
                (Attempt::ClaimedApart, _) => return Ok(None),
                (Attempt::KeyGone, Some(vault)) => vault.forget(&event.key),
                (Attempt::KeyGone, None) => break,
            }
        }
        Err(StoreError::Unavailable(
            "a conversation was erased again and again while something was appended to it".into(),
        ))
    }

    /// One attempt, encrypted where there is a key.
    async fn attempt(
        &self,
        event: &Append,
        marked: &str,
        claim: Option<&Cmd>,
        key: Option<&DataKey>,
    ) -> Result<Attempt, StoreError> {
        let written = self.replica.writes();
        // The oldest is first, and what is taken up is one of them.
        let appends = &self.appends[usize::from(written.saturating_sub(OLDEST))];
        let call = self.append_call(event, appends.format, marked, key)?;
        let script = match key {
            Some(_) => &appends.sealed,
            None => &appends.plain,
        };
        if self.wait.is_none() {
            return wire::appended(self.link.script(script, call).await?);
        }
        let append = Write {
            command: script.command(&call),
            script: Some(Arc::clone(script)),
        };
        let claim = claim.map(|claim| vec![Write::command(claim)]);
        let writes = [vec![append, self.renewal(marked)]];
        let answers = Box::pin(self.topology.write(writes.into_iter().chain(claim).collect()));
        wire::appended(answers.await?.into_iter().next().unwrap_or_default())
    }

    fn append_call(
        &self,
        event: &Append,
        format: u16,
        marked: &str,
        data_key: Option<&DataKey>,
    ) -> Result<Call, StoreError> {
        let (keys, key) = (&self.keys, &event.key);
        let partition = keys.partition(key);
        let echo = event.echo.as_ref().map(|print| keys.echo(partition, key, print));
        let names = [
            keys.log(partition),
            keys.meta(partition),
            marked.to_owned(),
            keys.session(partition, key),
            keys.index(partition, key),
            keys.sessions(partition, &key.tenant),
            keys.unsettled(partition),
        ];
        let data_keys = data_key.map(|_| keys.data_keys(partition, key));
        let bytes = event.head.len() + event.content.len();
        let call = Call::with_room(names.into_iter().chain(data_keys).chain(echo), bytes)
            .arg(rand::random_range(1..=u64::MAX))
            .arg(event.settle_after_ms)
            .arg(mark(&event.digest).as_slice())
            .arg(event.head.as_ref());
        let content = content_for(format, &event.content)
            .ok_or_else(|| StoreError::Corrupt("the content of an event is not what it should be".into()))?;
        let Some(data_key) = data_key else {
            return Ok(call
                .arg(content.as_ref())
                .arg(&key.conversation)
                .change(&event.change));
        };
        let content = seal_content(data_key, &event.head, &content)?;
        Ok(call
            .arg(content.as_ref())
            .arg(&key.conversation)
            .arg(data_key.id().to_string())
            .change(&seal_change(data_key, &event.change)?))
    }

    fn follow_up(&self, event: &Append, appended: &Appended) {
        if let Appended::New { id, .. } = appended
            && id.n % TRIM_EVERY == 0
        {
            self.trim_soon(self.keys.partition(&event.key));
        }
    }

    /// Trims a partition by one step, while whoever appended to it is answered; not where that is under way already.
    fn trim_soon(&self, partition: u16) {
        let turn = self.trimming.get(usize::from(partition));
        let Some(turn) = turn.and_then(|turn| turn.clone().try_lock_owned().ok()) else {
            return;
        };
        let (link, call) = (self.link.clone(), self.trim_call(partition));
        tokio::spawn(async move {
            if let Err(error) = link.script::<bool>(&TRIM, call).await {
                // The janitor will come by.
                tracing::debug!(partition, %error, "a partition could not be trimmed");
            }
            drop(turn);
        });
    }

    /// Trims a partition by one step; whether there may be more to trim.
    async fn trim(&self, partition: u16) -> Result<bool, StoreError> {
        self.link.script(&TRIM, self.trim_call(partition)).await
    }

    fn trim_call(&self, partition: u16) -> Call {
        Call::new([self.keys.log(partition), self.keys.meta(partition)])
            .arg(self.retention.log_ms)
            .arg(self.retention.partition_bytes(self.keys.partitions()))
    }

    /// Trims all partitions, and does what else is left to do, unless a replica has done so lately.
    pub(super) async fn tidy_in_turn(&self, every_ms: u64) -> Result<bool, StoreError> {
        let mine = self.trim_in_turn(every_ms).await;
        if let Some(vault) = &self.vault
            // Each replica is asked for its metrics.
            && let Err(error) = vault.report().await
        {
            tracing::debug!(%error, "data keys could not be counted");
        }
        if !mine? {
            return Ok(false);
        }
        self.end_erasures().await?;
        if let Some(vault) = &self.vault {
            vault.rewrap_some().await?;
            vault.report().await?;
        }
        Ok(true)
    }

    async fn trim_in_turn(&self, every_ms: u64) -> Result<bool, StoreError> {
        let mut lease = cmd("SET");
        lease.arg(self.keys.janitor()).arg("").arg(&["NX", "PX"]);
        let mine: Result<Option<String>, _> = self.link.command(lease.arg(every_ms.max(1))).await;
        if matches!(mine, Ok(None)) {
            return Ok(false);
        }
        // Where there is no lease to be had, every replica trims: a Redis whose memory is full refuses it, and would be full
        // for ever if nobody trimmed.
        let mut failure = None;
        for partition in 0..self.keys.partitions() {
            if let Err(error) = self.trim_all(partition).await {
                failure = Some(error);
                // On a cluster the others may well be there.
                if !self.link.is_cluster() {
                    break;
                }
            }
        }
        failure.map_or(Ok(true), Err)
    }

    /// Trims a partition for as long as there is more to trim.
    async fn trim_all(&self, partition: u16) -> Result<(), StoreError> {
        while self.trim(partition).await? {}
        Ok(())
    }
}

/// What marks an event that is in the log.
fn mark(digest: &[u8; 32]) -> [u8; 33] {
    let mut mark = [b'+'; 33];
    mark[..32].copy_from_slice(digest);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of<'a, F: Future>(_: impl Fn(&'a RedisStore, &'a Append) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn what_an_append_waits_with_is_small() {
        // Each is moved into a block of its own, and what glibc's allocator has at hand for each thread ends at 1032 bytes.
        let bytes = bytes_of(RedisStore::append_event);
        assert!(
            bytes <= 960,
            "{bytes} bytes: put what is rare into a box of its own"
        );
    }
}
