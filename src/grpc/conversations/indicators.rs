//! What shows that somebody is there: typing, thinking, reading.

use tonic::Request;

use crate::{
    conversation::Conversations,
    error::Error,
    grpc::{asker::Asker, check::Check, proto},
};

pub(super) async fn typing(
    calls: &Conversations,
    request: Request<proto::SendTypingIndicatorRequest>,
) -> Result<proto::SendTypingIndicatorResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let author = check.author("author_type", request.author_type);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls.typing(&tenant, &request.conversation_id, author).await?;
    Ok(proto::SendTypingIndicatorResponse {})
}

pub(super) async fn thinking(
    calls: &Conversations,
    request: Request<proto::SendThinkingIndicatorRequest>,
) -> Result<proto::SendThinkingIndicatorResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let seconds = check.range("max_thinking_seconds", request.max_thinking_seconds, &(1..=600));
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls.thinking(&tenant, &request.conversation_id, seconds).await?;
    Ok(proto::SendThinkingIndicatorResponse {})
}

pub(super) async fn read_receipt(
    calls: &Conversations,
    request: Request<proto::SendReadReceiptRequest>,
) -> Result<proto::SendReadReceiptResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let author = check.author("author_type", request.author_type);
    let read_ms = request.read_time.map(|time| check.time("read_time", &time));
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls
        .read_receipt(&tenant, &request.conversation_id, author, read_ms)
        .await?;
    Ok(proto::SendReadReceiptResponse {})
}
