//! `AttachmentService`: files of conversations, streamed up and down.

mod details;
mod download;
mod server;
mod upload;

use tonic::{Request, Response, Status};

pub use self::server::Server;
use super::{
    call::answer,
    fields::Rpc,
    proto::{self, unary::attachment_service_server::AttachmentService},
};
use crate::conversation::Conversations;

/// The service.
#[derive(Clone)]
pub struct Service(pub Conversations);

#[tonic::async_trait]
impl AttachmentService for Service {
    async fn get_attachment(
        &self,
        request: Request<proto::GetAttachmentRequest>,
    ) -> Result<Response<proto::GetAttachmentResponse>, Status> {
        answer(Rpc::GetAttachment, details::get(&self.0, request).await)
    }

    async fn list_attachments(
        &self,
        request: Request<proto::ListAttachmentsRequest>,
    ) -> Result<Response<proto::ListAttachmentsResponse>, Status> {
        answer(Rpc::ListAttachments, details::list(&self.0, request).await)
    }
}
