//! A hand-over: one stream that holds a conversation and its files, taken apart as it comes.

mod parts;
#[cfg(test)]
mod tests;

use std::{future::Future, time::Duration};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming};

use self::parts::Parts;
use crate::{
    conversation::{Conversations, hand_over::FileOutcome},
    error::{Error, Violation},
    gateway::NewAttachment,
    grpc::{
        asker::Asker,
        call::request_id,
        check::Check,
        content::{Count, START_WAIT, within},
        convert,
        fields::{Rpc, in_the_callers_names},
        proto::{self, HandOverConversationRequest},
    },
};

/// The most files of one hand-over.
const FILES_MAX: usize = 50;
/// How many pieces may wait for the vendor to take them.
const CHUNKS_AHEAD: usize = 2;

/// The bytes of one file.
type Content = ReceiverStream<Result<Bytes, Error>>;

pub(super) async fn hand_over(
    calls: &Conversations,
    request: Request<Streaming<HandOverConversationRequest>>,
) -> Result<proto::HandOverConversationResponse, Error> {
    let asker = Asker::before(&request);
    let mut parts = Parts::new(request.into_inner());
    let mut start = within(START_WAIT, parts.start()).await?;
    asker.says(&start);
    start.request_id.make_ascii_lowercase();
    let mut check = Check::default();
    let id = request_id(&mut check, "start.request_id", &start.request_id, &asker, &start);
    let hand_over = convert::hand_over(&mut check, &start);
    let tenant = check.of_tenant_at("start.tenant", asker.tenant(calls, &start.tenant))?;
    let rpc = Rpc::HandOverConversation {
        shortened: start.history.len() > convert::HISTORY_MAX,
    };
    drop(start);
    let handed = calls
        .hand_over(&tenant, &id, hand_over)
        .await
        .map_err(|error| in_the_callers_names(rpc, error))?;
    asker.made("conversation_id", &handed.created.conversation);
    let (tenant, id, handed) = (&tenant, &id, &handed);
    let upload = |n: usize, new: NewAttachment, text: String, content: Content| async move {
        calls
            .hand_over_file(tenant, id, handed, n, &new, &text, content)
            .await
    };
    let limits = FileLimits {
        bytes_max: tenant.attachment_max_bytes,
        // The upload ends before, so that a slow vendor fails the file alone.
        time: tenant.gateway.transfer_timeout() + START_WAIT,
    };
    let files = files(&mut parts, limits, upload)
        .await
        .map_err(|problem| match problem {
            broken @ Error::HandOverBroken { .. } => broken,
            problem => Error::HandOverBroken {
                conversation: handed.created.conversation.clone(),
                problem: Box::new(problem),
            },
        })?;
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    Ok(proto::HandOverConversationResponse {
        tenant: handed.created.tenant.clone(),
        conversation_id: handed.created.conversation.clone(),
        create_time: handed.created.created_ms.map(convert::timestamp),
        cursor: handed.created.cursor.clone().into(),
        omitted_messages: count(handed.omitted),
        summarised_messages: count(handed.summarised),
        files,
    })
}

/// What a caller may send of one file, and how long it may take to: once to begin it, once to send its bytes.
#[derive(Debug, Clone, Copy)]
struct FileLimits {
    bytes_max: u64,
    time: Duration,
}

/// Passes each file on to `upload`, one after the other, and tells what became of each.
async fn files<S, F, U>(
    parts: &mut Parts<S>,
    limits: FileLimits,
    upload: F,
) -> Result<Vec<proto::HandOverFileResult>, Error>
where
    S: Stream<Item = Result<HandOverConversationRequest, Status>> + Unpin,
    F: Fn(usize, NewAttachment, String, Content) -> U,
    U: Future<Output = Result<FileOutcome, Error>>,
{
    let mut results = Vec::new();
    while let Some(file) = within(limits.time, parts.file()).await? {
        if results.len() == FILES_MAX {
            return Err(Error::invalid(
                "file",
                format!("is one too many; at most {FILES_MAX} are allowed"),
            ));
        }
        let mut check = Check::default();
        let new = convert::handed_file(&mut check, &file, limits.bytes_max);
        let number = results.len() + 1;
        let new = check.done(new).map_err(|error| in_file(number, error))?;
        let count = Count::new("file.size_bytes", new.size_bytes);
        let (to, content) = mpsc::channel(CHUNKS_AHEAD);
        let uploading = Box::pin(upload(results.len(), new, file.text, content.into()));
        // The upload may end early. The file's other pieces come all the same, and the next file behind them.
        let (outcome, pumped) = tokio::join!(uploading, within(limits.time, parts.pump(count, to)));
        pumped.map_err(|error| in_file(number, error))?;
        results.push(result(file.file_name, &outcome?));
    }
    Ok(results)
}

/// A mistake in a file, counted from 1: the fields of all files have the same names.
fn in_file(number: usize, error: Error) -> Error {
    let Error::Invalid(violations) = error else {
        return error;
    };
    let numbered = violations.into_iter().map(|v| {
        let problem = format!("{} (file {number} of the hand-over)", v.problem);
        Violation::new(v.field, problem)
    });
    Error::Invalid(numbered.collect())
}

fn result(file_name: String, outcome: &FileOutcome) -> proto::HandOverFileResult {
    let error = outcome.error.as_ref();
    proto::HandOverFileResult {
        file_name,
        attachment: outcome.attachment.as_ref().map(convert::stored_attachment),
        message_accepted: outcome.message_accepted,
        error_reason: error.map(|e| e.reason().to_owned()).unwrap_or_default(),
        error_message: error.map(Error::to_string).unwrap_or_default(),
    }
}
