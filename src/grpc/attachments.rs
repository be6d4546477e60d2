//! `AttachmentService`: files of conversations, streamed up and down.

mod details;
mod download;
mod upload;

use std::pin::Pin;

use futures_util::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::{
    call::answer,
    fields::Rpc,
    proto::{self, attachment_service_server::AttachmentService},
};
use crate::conversation::Conversations;

/// The service.
pub struct Service(pub Conversations);

#[tonic::async_trait]
impl AttachmentService for Service {
    type DownloadAttachmentStream =
        Pin<Box<dyn Stream<Item = Result<proto::DownloadAttachmentResponse, Status>> + Send>>;

    async fn upload_attachment(
        &self,
        request: Request<Streaming<proto::UploadAttachmentRequest>>,
    ) -> Result<Response<proto::UploadAttachmentResponse>, Status> {
        answer(Rpc::UploadAttachment, upload::upload(&self.0, request).await)
    }

    async fn download_attachment(
        &self,
        request: Request<proto::DownloadAttachmentRequest>,
    ) -> Result<Response<Self::DownloadAttachmentStream>, Status> {
        answer(
            Rpc::DownloadAttachment,
            download::download(&self.0, request).await,
        )
    }

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
