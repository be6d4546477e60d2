//! `ConfigurationService`: webhooks, channels and signing keys.

mod channels;
mod keys;
mod webhooks;

use tonic::{Request, Response, Status};

use super::{
    call::answer,
    fields::Rpc,
    proto::{self, configuration_service_server::ConfigurationService},
};
use crate::conversation::Conversations;

/// The service.
pub struct Service(pub Conversations);

#[tonic::async_trait]
impl ConfigurationService for Service {
    async fn list_webhooks(
        &self,
        request: Request<proto::ListWebhooksRequest>,
    ) -> Result<Response<proto::ListWebhooksResponse>, Status> {
        answer(Rpc::ListWebhooks, webhooks::list(&self.0, request).await)
    }

    async fn create_webhook(
        &self,
        request: Request<proto::CreateWebhookRequest>,
    ) -> Result<Response<proto::CreateWebhookResponse>, Status> {
        answer(Rpc::CreateWebhook, webhooks::create(&self.0, request).await)
    }

    async fn get_webhook(
        &self,
        request: Request<proto::GetWebhookRequest>,
    ) -> Result<Response<proto::GetWebhookResponse>, Status> {
        answer(Rpc::GetWebhook, webhooks::get(&self.0, request).await)
    }

    async fn replace_webhook(
        &self,
        request: Request<proto::ReplaceWebhookRequest>,
    ) -> Result<Response<proto::ReplaceWebhookResponse>, Status> {
        answer(Rpc::ReplaceWebhook, webhooks::replace(&self.0, request).await)
    }

    async fn delete_webhook(
        &self,
        request: Request<proto::DeleteWebhookRequest>,
    ) -> Result<Response<proto::DeleteWebhookResponse>, Status> {
        answer(Rpc::DeleteWebhook, webhooks::delete(&self.0, request).await)
    }

    async fn verify_webhook(
        &self,
        request: Request<proto::VerifyWebhookRequest>,
    ) -> Result<Response<proto::VerifyWebhookResponse>, Status> {
        answer(Rpc::VerifyWebhook, webhooks::verify(&self.0, request).await)
    }

    async fn list_channels(
        &self,
        request: Request<proto::ListChannelsRequest>,
    ) -> Result<Response<proto::ListChannelsResponse>, Status> {
        answer(Rpc::ListChannels, channels::list(&self.0, request).await)
    }

    async fn create_channel(
        &self,
        request: Request<proto::CreateChannelRequest>,
    ) -> Result<Response<proto::CreateChannelResponse>, Status> {
        answer(Rpc::CreateChannel, channels::create(&self.0, request).await)
    }

    async fn get_channel(
        &self,
        request: Request<proto::GetChannelRequest>,
    ) -> Result<Response<proto::GetChannelResponse>, Status> {
        answer(Rpc::GetChannel, channels::get(&self.0, request).await)
    }

    async fn replace_channel(
        &self,
        request: Request<proto::ReplaceChannelRequest>,
    ) -> Result<Response<proto::ReplaceChannelResponse>, Status> {
        answer(Rpc::ReplaceChannel, channels::replace(&self.0, request).await)
    }

    async fn delete_channel(
        &self,
        request: Request<proto::DeleteChannelRequest>,
    ) -> Result<Response<proto::DeleteChannelResponse>, Status> {
        answer(Rpc::DeleteChannel, channels::delete(&self.0, request).await)
    }

    async fn get_signing_key(
        &self,
        request: Request<proto::GetSigningKeyRequest>,
    ) -> Result<Response<proto::GetSigningKeyResponse>, Status> {
        answer(Rpc::GetSigningKey, keys::get(&self.0, request).await)
    }
}
