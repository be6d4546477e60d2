//! Who served a conversation and when, and who takes over.

use tonic::Request;

use crate::{
    conversation::Conversations,
    error::Error,
    grpc::{
        asker::Asker,
        check::Check,
        convert,
        paging::{self, Ask},
        proto,
    },
};

pub(super) async fn interactions(
    calls: &Conversations,
    request: Request<proto::ListInteractionsRequest>,
) -> Result<proto::ListInteractionsResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let tenant = asker.tenant(calls, &request.tenant);
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let ask = Ask {
        of: &["ListInteractions", &request.conversation_id],
        page_size: request.page_size,
        page_token: &request.page_token,
        ..Ask::default()
    };
    let page = ask.read(&mut check, &tenant);
    let tenant = check.of_tenant(tenant)?;
    let listed = calls.interactions(&tenant, &request.conversation_id).await?;
    let (interactions, next_page_token) = page.cut(listed.items);
    Ok(proto::ListInteractionsResponse {
        interactions: interactions.iter().map(convert::interaction).collect(),
        next_page_token,
        total_size: paging::total(listed.total),
    })
}

pub(super) async fn participants(
    calls: &Conversations,
    request: Request<proto::ListParticipantsRequest>,
) -> Result<proto::ListParticipantsResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let tenant = asker.tenant(calls, &request.tenant);
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let ask = Ask {
        of: &["ListParticipants", &request.conversation_id],
        page_size: request.page_size,
        page_token: &request.page_token,
        ..Ask::default()
    };
    let page = ask.read(&mut check, &tenant);
    let tenant = check.of_tenant(tenant)?;
    let listed = calls.participants(&tenant, &request.conversation_id).await?;
    let (participants, next_page_token) = page.cut(listed.items);
    Ok(proto::ListParticipantsResponse {
        participants: participants.iter().map(convert::participant).collect(),
        next_page_token,
        total_size: paging::total(listed.total),
    })
}

pub(super) async fn post_agent_assignment(
    calls: &Conversations,
    request: Request<proto::CreatePostAgentAssignmentRequest>,
) -> Result<proto::CreatePostAgentAssignmentResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let assignment = convert::post_agent_assignment(&mut check, &request);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls
        .post_agent_assignment(&tenant, &request.conversation_id, &assignment)
        .await?;
    Ok(proto::CreatePostAgentAssignmentResponse {})
}
