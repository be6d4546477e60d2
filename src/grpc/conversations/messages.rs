//! Messages.

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

pub(super) async fn send(
    calls: &Conversations,
    request: Request<proto::SendMessageRequest>,
) -> Result<proto::SendMessageResponse, Error> {
    let asker = Asker::of(&request);
    let mut request = request.into_inner();
    request.request_id.make_ascii_lowercase();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let id = request_id(&mut check, "request_id", &request.request_id, &asker, &request);
    let message = convert::message_to_send(&mut check, request.message.as_ref());
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let sent = calls
        .send(&tenant, &request.conversation_id, &id, &message)
        .await?;
    Ok(proto::SendMessageResponse {
        accept_time: Some(convert::timestamp(sent.accepted_ms)),
    })
}

pub(super) async fn get(
    calls: &Conversations,
    request: Request<proto::GetMessageRequest>,
) -> Result<proto::GetMessageResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    check.identifier("message_id", &request.message_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let message = calls
        .message(&tenant, &request.conversation_id, &request.message_id)
        .await?;
    Ok(proto::GetMessageResponse {
        message: Some(convert::message(&message)),
    })
}

pub(super) async fn list(
    calls: &Conversations,
    request: Request<proto::ListMessagesRequest>,
) -> Result<proto::ListMessagesResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let tenant = asker.tenant(calls, &request.tenant);
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let ask = Ask {
        of: &["ListMessages", &request.conversation_id],
        page_size: request.page_size,
        page_token: &request.page_token,
        order_by: &request.order_by,
        ..Ask::default()
    };
    let page = ask.read_by_time(&mut check, &tenant);
    let tenant = check.of_tenant(tenant)?;
    let listed = calls
        .messages(&tenant, &request.conversation_id, &page.query)
        .await?;
    Ok(proto::ListMessagesResponse {
        messages: listed.items.iter().map(convert::message).collect(),
        next_page_token: page.next(&listed),
        total_size: paging::total(listed.total),
    })
}
