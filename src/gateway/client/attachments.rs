//! Details of attachments. Their bytes are in `transfer`.

use super::{Gateway, unbuilt};
use crate::{
    event::TenantId,
    gateway::{Listed, PageQuery, StoredAttachment, UpstreamError},
};

impl Gateway {
    /// Reads an attachment's details: `GET /conversations/{id}/attachments/{attachmentId}`, 200.
    pub async fn attachment(
        &self,
        _tenant: &TenantId,
        _id: &str,
        _attachment: &str,
    ) -> Result<StoredAttachment, UpstreamError> {
        unbuilt()
    }

    /// Lists attachments: `GET /conversations/{id}/attachments`, 200.
    pub async fn attachments(
        &self,
        _tenant: &TenantId,
        _id: &str,
        _page: &PageQuery,
    ) -> Result<Listed<StoredAttachment>, UpstreamError> {
        unbuilt()
    }
}
