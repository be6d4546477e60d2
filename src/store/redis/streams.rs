//! Streams that may be changed.

use ::redis::{Value, cmd};
use async_trait::async_trait;
use bytes::Bytes;

use super::{
    RedisStore,
    scripts::{CHANGE_STREAM, Call, OPEN_STREAM, STREAM_CHANGES},
    wire,
};
use crate::store::{
    StoreError,
    streams::{
        CHANGES_MAX, CONVERSATIONS_MAX, ChangedStreams, StreamChange, StreamChanged, StreamKey, StreamRecords,
    },
};

/// About how many changes are told of, and for how long after the last. Whoever was not told finds out by looking.
const TOLD: usize = 1000;
const TOLD_MS: u64 = 600_000;

#[async_trait]
impl StreamRecords for RedisStore {
    async fn open(
        &self,
        stream: &StreamKey,
        revision: u64,
        conversations: &[String],
        ttl_ms: u64,
    ) -> Result<(), StoreError> {
        let call = Call::new([self.keys.stream(stream)]).arg(ttl_ms).arg(revision);
        let call = conversations.iter().fold(call, Call::arg);
        self.link.script(&OPEN_STREAM, call).await
    }

    async fn change(&self, stream: &StreamKey, change: &StreamChange) -> Result<StreamChanged, StoreError> {
        let call = Call::new([self.keys.stream(stream)])
            .arg(CONVERSATIONS_MAX)
            .arg(CHANGES_MAX)
            .arg(change.record.as_ref())
            .arg(change.remove.len());
        let call = change.remove.iter().chain(&change.add).fold(call, Call::arg);
        let answer: i64 = self.link.script(&CHANGE_STREAM, call).await?;
        let number = match answer {
            -1 => return Ok(StreamChanged::Unknown),
            -2 => return Ok(StreamChanged::TooManyConversations),
            -3 => return Ok(StreamChanged::TooManyChanges),
            number => number.cast_unsigned(),
        };
        let told = self.keys.changed_streams();
        let mut tell = cmd("XADD");
        tell.arg(&told).arg(&["MAXLEN", "~"]).arg(TOLD);
        tell.arg(&["*", "id", stream.id.as_str()]);
        let told_of: Result<(), StoreError> = async {
            self.link.command::<Value>(&tell).await?;
            self.link
                .command::<Value>(cmd("PEXPIRE").arg(&told).arg(TOLD_MS))
                .await
        }
        .await
        .map(drop);
        if let Err(error) = told_of {
            // The change is there, and the stream looks for it by itself.
            tracing::debug!(%error, "a stream was not told that it was changed");
        }
        Ok(StreamChanged::Taken(number))
    }

    async fn waiting(
        &self,
        stream: &StreamKey,
        applied: u64,
        ttl_ms: u64,
    ) -> Result<Option<Vec<(u64, Bytes)>>, StoreError> {
        let call = Call::new([self.keys.stream(stream)]).arg(applied).arg(ttl_ms);
        let answer: Value = self.link.script(&STREAM_CHANGES, call).await?;
        if answer == Value::Nil {
            return Ok(None);
        }
        let mut parts = wire::array(answer)?.into_iter();
        let mut changes = Vec::new();
        while let (Some(number), Some(record)) = (parts.next(), parts.next()) {
            changes.push((wire::number(&number)?, wire::bytes(record)?));
        }
        Ok(Some(changes))
    }

    async fn close(&self, stream: &StreamKey) -> Result<(), StoreError> {
        self.link
            .command(cmd("UNLINK").arg(self.keys.stream(stream)))
            .await
    }

    async fn changed(&self, mark: Option<&str>) -> Result<ChangedStreams, StoreError> {
        let told = self.keys.changed_streams();
        let Some(mark) = mark else {
            let newest = self
                .link
                .command(cmd("XREVRANGE").arg(told).arg(&["+", "-", "COUNT", "1"]))
                .await?;
            let mark = entries(newest)?
                .pop()
                .map_or_else(|| "0-0".into(), |(mark, _)| mark);
            let ids = Vec::new();
            return Ok(ChangedStreams { ids, mark });
        };
        let behind = format!("({mark}");
        let found = self
            .link
            .command(cmd("XRANGE").arg(told).arg(behind).arg(&["+", "COUNT"]).arg(TOLD))
            .await?;
        let found = entries(found)?;
        let mark = found.last().map_or(mark, |(mark, _)| mark).to_owned();
        let ids = found.into_iter().map(|(_, id)| id).collect();
        Ok(ChangedStreams { ids, mark })
    }
}

/// Place and name of each entry.
fn entries(answer: Value) -> Result<Vec<(String, String)>, StoreError> {
    let entry = |entry: Value| {
        let [place, fields] = wire::array_of(entry)?;
        let [_, id] = wire::array_of(fields)?;
        Ok((wire::text(place)?, wire::text(id)?))
    };
    wire::array(answer)?.into_iter().map(entry).collect()
}
