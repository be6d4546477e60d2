//! Channels.

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
    request: Request<proto::ListChannelsRequest>,
) -> Result<proto::ListChannelsResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let tenant = asker.tenant(calls, &request.tenant);
    let mut check = Check::default();
    let ask = Ask {
        of: &["ListChannels"],
        page_size: request.page_size,
        page_token: &request.page_token,
        filter: &request.filter,
        order_by: &request.order_by,
    };
    let page = ask.read(&mut check, &tenant);
    let tenant = check.of_tenant(tenant)?;
    let listed = calls.channels(&tenant, &page.query).await?;
    Ok(proto::ListChannelsResponse {
        channels: listed.items.iter().map(convert::configured_channel).collect(),
        next_page_token: page.next(&listed),
        total_size: paging::total(listed.total),
    })
}

pub(super) async fn create(
    calls: &Conversations,
    request: Request<proto::CreateChannelRequest>,
) -> Result<proto::CreateChannelResponse, Error> {
    let asker = Asker::of(&request);
    let mut request = request.into_inner();
    request.request_id.make_ascii_lowercase();
    let mut check = Check::default();
    let id = request_id(&mut check, "request_id", &request.request_id, &asker, &request);
    let new = convert::channel(&mut check, Purpose::Create, request.channel.as_ref());
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let created = calls.create_channel(&tenant, &id, &new).await?;
    asker.made("channel_id", &created.id);
    Ok(proto::CreateChannelResponse {
        channel: Some(convert::configured_channel(&created)),
    })
}

pub(super) async fn get(
    calls: &Conversations,
    request: Request<proto::GetChannelRequest>,
) -> Result<proto::GetChannelResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("channel_id", &request.channel_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let channel = calls.channel(&tenant, &request.channel_id).await?;
    Ok(proto::GetChannelResponse {
        channel: Some(convert::configured_channel(&channel)),
    })
}

pub(super) async fn replace(
    calls: &Conversations,
    request: Request<proto::ReplaceChannelRequest>,
) -> Result<proto::ReplaceChannelResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    let new = convert::channel(&mut check, Purpose::Replace, request.channel.as_ref());
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let replaced = calls.replace_channel(&tenant, &new).await?;
    Ok(proto::ReplaceChannelResponse {
        channel: Some(convert::configured_channel(&replaced)),
    })
}

pub(super) async fn delete(
    calls: &Conversations,
    request: Request<proto::DeleteChannelRequest>,
) -> Result<proto::DeleteChannelResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("channel_id", &request.channel_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls.delete_channel(&tenant, &request.channel_id).await?;
    Ok(proto::DeleteChannelResponse {})
}
