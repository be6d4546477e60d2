//! What is known of files.

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

pub(super) async fn get(
    calls: &Conversations,
    request: Request<proto::GetAttachmentRequest>,
) -> Result<proto::GetAttachmentResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    check.attachment_identifier("attachment_id", &request.attachment_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let attachment = calls
        .attachment(&tenant, &request.conversation_id, &request.attachment_id)
        .await?;
    Ok(proto::GetAttachmentResponse {
        attachment: Some(convert::stored_attachment(&attachment)),
    })
}

pub(super) async fn list(
    calls: &Conversations,
    request: Request<proto::ListAttachmentsRequest>,
) -> Result<proto::ListAttachmentsResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let tenant = asker.tenant(calls, &request.tenant);
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    let ask = Ask {
        of: &["ListAttachments", &request.conversation_id],
        page_size: request.page_size,
        page_token: &request.page_token,
        filter: &request.filter,
        order_by: &request.order_by,
    };
    let page = ask.read(&mut check, &tenant);
    let tenant = check.of_tenant(tenant)?;
    let listed = calls
        .attachments(&tenant, &request.conversation_id, &page.query)
        .await?;
    Ok(proto::ListAttachmentsResponse {
        attachments: listed.items.iter().map(convert::stored_attachment).collect(),
        next_page_token: page.next(&listed),
        total_size: paging::total(listed.total),
    })
}
