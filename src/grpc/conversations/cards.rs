//! Cards.

use tonic::Request;

use crate::{
    conversation::Conversations,
    error::Error,
    grpc::{
        asker::Asker,
        check::{Check, ID_BYTES_MAX},
        convert,
        paging::{self, Ask},
        proto,
    },
};

pub(super) async fn list(
    calls: &Conversations,
    request: Request<proto::ListCardsRequest>,
) -> Result<proto::ListCardsResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let tenant = asker.tenant(calls, &request.tenant);
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    check.identifier("message_id", &request.message_id);
    let ask = Ask {
        of: &["ListCards", &request.conversation_id, &request.message_id],
        page_size: request.page_size,
        page_token: &request.page_token,
        order_by: &request.order_by,
        ..Ask::default()
    };
    let page = ask.read_by_time(&mut check, &tenant);
    let tenant = check.of_tenant(tenant)?;
    let listed = calls
        .cards(
            &tenant,
            &request.conversation_id,
            &request.message_id,
            &page.query,
        )
        .await?;
    Ok(proto::ListCardsResponse {
        cards: listed.items.iter().map(convert::card).collect(),
        next_page_token: page.next(&listed),
        total_size: paging::total(listed.total),
    })
}

/// What both actions check alike.
fn check_action(conversation_id: &str, card_id: &str, name: &str) -> Check {
    let mut check = Check::default();
    check.identifier("conversation_id", conversation_id);
    check.identifier("card_id", card_id);
    check.max("name", name, ID_BYTES_MAX);
    check
}

pub(super) async fn submit(
    calls: &Conversations,
    request: Request<proto::SubmitCardActionRequest>,
) -> Result<proto::SubmitCardActionResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let check = check_action(&request.conversation_id, &request.card_id, &request.name);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls
        .submit_card_action(&tenant, &request.conversation_id, &request.card_id, &request.name)
        .await?;
    Ok(proto::SubmitCardActionResponse {})
}

pub(super) async fn execute(
    calls: &Conversations,
    request: Request<proto::ExecuteCardActionRequest>,
) -> Result<proto::ExecuteCardActionResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let check = check_action(&request.conversation_id, &request.card_id, &request.name);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls
        .execute_card_action(&tenant, &request.conversation_id, &request.card_id, &request.name)
        .await?;
    Ok(proto::ExecuteCardActionResponse {})
}
