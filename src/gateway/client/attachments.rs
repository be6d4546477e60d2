//! Details of attachments. Their bytes are in `transfer`.

use super::Gateway;
use crate::{
    event::TenantId,
    gateway::{Listed, PageQuery, StoredAttachment, UpstreamError, operation, wire::received},
};

impl Gateway {
    /// Reads an attachment's details: `GET /conversations/{id}/attachments/{attachmentId}`, 200.
    pub async fn attachment(
        &self,
        tenant: &TenantId,
        id: &str,
        attachment: &str,
    ) -> Result<StoredAttachment, UpstreamError> {
        let path = ["conversations", id, "attachments", attachment];
        let call = self.prepare(&operation::ATTACHMENT, tenant, &path)?;
        self.send(call, received::attachment).await
    }

    /// Lists attachments: `GET /conversations/{id}/attachments`, 200.
    pub async fn attachments(
        &self,
        tenant: &TenantId,
        id: &str,
        page: &PageQuery,
    ) -> Result<Listed<StoredAttachment>, UpstreamError> {
        let path = ["conversations", id, "attachments"];
        let call = self.prepare(&operation::ATTACHMENTS, tenant, &path)?.page(page);
        self.send(call, received::attachments).await
    }
}
