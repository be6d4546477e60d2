//! Webhooks.

use tonic::Request;

use crate::{
    conversation::Conversations,
    error::Error,
    grpc::{
        asker::Asker,
        call::request_id,
        check::Check,
        convert::{self, Purpose},
        paging::{self, Ask},
        proto,
    },
};

pub(super) async fn list(
    calls: &Conversations,
    request: Request<proto::ListWebhooksRequest>,
) -> Result<proto::ListWebhooksResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let tenant = asker.tenant(calls, &request.tenant);
    let mut check = Check::default();
    let ask = Ask {
        of: &["ListWebhooks"],
        page_size: request.page_size,
        page_token: &request.page_token,
        filter: &request.filter,
        order_by: &request.order_by,
    };
    let page = ask.read(&mut check, &tenant);
    let tenant = check.of_tenant(tenant)?;
    let listed = calls.webhooks(&tenant, &page.query).await?;
    Ok(proto::ListWebhooksResponse {
        webhooks: listed.items.iter().map(convert::configured_webhook).collect(),
        next_page_token: page.next(&listed),
        total_size: paging::total(listed.total),
    })
}

pub(super) async fn create(
    calls: &Conversations,
    request: Request<proto::CreateWebhookRequest>,
) -> Result<proto::CreateWebhookResponse, Error> {
    let asker = Asker::of(&request);
    let mut request = request.into_inner();
    request.request_id.make_ascii_lowercase();
    let mut check = Check::default();
    let id = request_id(&mut check, "request_id", &request.request_id, &asker, &request);
    let new = convert::webhook(&mut check, Purpose::Create, request.webhook.as_ref());
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let created = calls.create_webhook(&tenant, &id, &new).await?;
    asker.made("webhook_id", &created.id);
    Ok(proto::CreateWebhookResponse {
        webhook: Some(convert::configured_webhook(&created)),
    })
}

pub(super) async fn get(
    calls: &Conversations,
    request: Request<proto::GetWebhookRequest>,
) -> Result<proto::GetWebhookResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("webhook_id", &request.webhook_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let webhook = calls.webhook(&tenant, &request.webhook_id).await?;
    Ok(proto::GetWebhookResponse {
        webhook: Some(convert::configured_webhook(&webhook)),
    })
}

pub(super) async fn replace(
    calls: &Conversations,
    request: Request<proto::ReplaceWebhookRequest>,
) -> Result<proto::ReplaceWebhookResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    let new = convert::webhook(&mut check, Purpose::Replace, request.webhook.as_ref());
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let replaced = calls.replace_webhook(&tenant, &new).await?;
    Ok(proto::ReplaceWebhookResponse {
        webhook: Some(convert::configured_webhook(&replaced)),
    })
}

pub(super) async fn delete(
    calls: &Conversations,
    request: Request<proto::DeleteWebhookRequest>,
) -> Result<proto::DeleteWebhookResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("webhook_id", &request.webhook_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls.delete_webhook(&tenant, &request.webhook_id).await?;
    Ok(proto::DeleteWebhookResponse {})
}

pub(super) async fn verify(
    calls: &Conversations,
    request: Request<proto::VerifyWebhookRequest>,
) -> Result<proto::VerifyWebhookResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    let webhook = convert::webhook_to_verify(&mut check, &request);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls.verify_webhook(&tenant, &webhook).await?;
    Ok(proto::VerifyWebhookResponse {})
}
