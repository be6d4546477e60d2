//! Conversations from their creation to their end.

use tonic::Request;

use crate::{
    conversation::Conversations,
    error::Error,
    grpc::{
        asker::Asker,
        call::request_id,
        check::Check,
        convert,
        paging::{self, Ask},
        proto,
    },
};

pub(super) async fn create(
    calls: &Conversations,
    request: Request<proto::CreateConversationRequest>,
) -> Result<proto::CreateConversationResponse, Error> {
    let asker = Asker::of(&request);
    let mut request = request.into_inner();
    request.request_id.make_ascii_lowercase();
    let mut check = Check::default();
    let id = request_id(&mut check, "request_id", &request.request_id, &asker, &request);
    let new = convert::new_conversation(&mut check, &request);
    convert::labels(&mut check, "labels", &request.labels);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let created = calls.create(&tenant, &id, &new, &request.labels).await?;
    asker.made("conversation_id", &created.conversation);
    Ok(proto::CreateConversationResponse {
        tenant: created.tenant,
        conversation_id: created.conversation,
        create_time: created.created_ms.map(convert::timestamp),
        cursor: created.cursor.into(),
    })
}

pub(super) async fn find_or_create(
    calls: &Conversations,
    request: Request<proto::FindOrCreateConversationRequest>,
) -> Result<proto::FindOrCreateConversationResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    let wanted = convert::wanted_conversation(&mut check, &request);
    convert::labels(&mut check, "labels", &request.labels);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let found = calls.find_or_create(&tenant, &wanted, &request.labels).await?;
    asker.made("conversation_id", &found.conversation.id);
    Ok(proto::FindOrCreateConversationResponse {
        conversation: Some(convert::conversation(&tenant.id, &found.conversation)),
        created: found.created,
        cursor: found.cursor.encode().into(),
    })
}

pub(super) async fn get(
    calls: &Conversations,
    request: Request<proto::GetConversationRequest>,
) -> Result<proto::GetConversationResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let conversation = calls.get(&tenant, &request.conversation_id).await?;
    Ok(proto::GetConversationResponse {
        conversation: Some(convert::conversation(&tenant.id, &conversation)),
    })
}

pub(super) async fn list(
    calls: &Conversations,
    request: Request<proto::ListConversationsRequest>,
) -> Result<proto::ListConversationsResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let tenant = asker.tenant(calls, &request.tenant);
    let mut check = Check::default();
    let ask = Ask {
        of: &["ListConversations"],
        page_size: request.page_size,
        page_token: &request.page_token,
        filter: &request.filter,
        order_by: &request.order_by,
    };
    let page = ask.read(&mut check, &tenant);
    let tenant = check.of_tenant(tenant)?;
    let listed = calls.list(&tenant, &page.query).await?;
    Ok(proto::ListConversationsResponse {
        conversations: listed
            .items
            .iter()
            .map(|c| convert::conversation(&tenant.id, c))
            .collect(),
        next_page_token: page.next(&listed),
        total_size: paging::total(listed.total),
    })
}

pub(super) async fn update(
    calls: &Conversations,
    request: Request<proto::UpdateConversationRequest>,
) -> Result<proto::UpdateConversationResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let patch = convert::patch(&mut check, &request);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let updated = calls.update(&tenant, &request.conversation_id, &patch).await?;
    let conversation = updated.conversation.as_ref();
    Ok(proto::UpdateConversationResponse {
        cursor: updated.cursor.encode().into(),
        conversation: conversation.map(|c| convert::conversation(&tenant.id, c)),
    })
}

pub(super) async fn replace(
    calls: &Conversations,
    request: Request<proto::ReplaceConversationRequest>,
) -> Result<proto::ReplaceConversationResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    let replacement = convert::replacement(&mut check, request.conversation.as_ref());
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let id = request
        .conversation
        .map(|c| c.conversation_id)
        .unwrap_or_default();
    let replaced = calls.replace(&tenant, &id, &replacement).await?;
    let conversation = replaced.conversation.as_ref();
    Ok(proto::ReplaceConversationResponse {
        cursor: replaced.cursor.encode().into(),
        conversation: conversation.map(|c| convert::conversation(&tenant.id, c)),
    })
}

pub(super) async fn transfer(
    calls: &Conversations,
    request: Request<proto::TransferConversationRequest>,
) -> Result<proto::TransferConversationResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let to = convert::target(&mut check, request.assignment.as_ref());
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let cursor = calls.transfer(&tenant, &request.conversation_id, &to).await?;
    Ok(proto::TransferConversationResponse {
        cursor: cursor.encode().into(),
    })
}

pub(super) async fn end(
    calls: &Conversations,
    request: Request<proto::EndConversationRequest>,
) -> Result<proto::EndConversationResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls.end(&tenant, &request.conversation_id).await?;
    Ok(proto::EndConversationResponse {})
}
