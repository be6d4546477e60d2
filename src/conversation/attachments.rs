//! Files of conversations.

use bytes::Bytes;
use futures_util::Stream;

use super::{Conversations, calls::RequestId};
use crate::{
    error::Error,
    gateway::{Download, Listed, NewAttachment, PageQuery, StoredAttachment},
    tenant::Tenant,
};

impl Conversations {
    /// Uploads a file, once for each `request_id`. `request.digest` is of everything but the content; `content` yields exactly
    /// `new.size_bytes` bytes, or an error, which is passed on. Larger than the tenant's limit: [`Error::Invalid`].
    pub async fn upload(
        &self,
        _tenant: &Tenant,
        _id: &str,
        _request: &RequestId,
        _new: &NewAttachment,
        _content: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    ) -> Result<StoredAttachment, Error> {
        Err(Error::StoreCorrupt)
    }

    /// Downloads a file.
    pub async fn download(&self, tenant: &Tenant, id: &str, attachment: &str) -> Result<Download, Error> {
        Ok(tenant
            .gateway
            .download_attachment(&tenant.id, id, attachment)
            .await?)
    }

    /// Reads a file's details from the vendor.
    pub async fn attachment(
        &self,
        tenant: &Tenant,
        id: &str,
        attachment: &str,
    ) -> Result<StoredAttachment, Error> {
        Ok(tenant.gateway.attachment(&tenant.id, id, attachment).await?)
    }

    /// Lists a conversation's files from the vendor.
    pub async fn attachments(
        &self,
        tenant: &Tenant,
        id: &str,
        page: &PageQuery,
    ) -> Result<Listed<StoredAttachment>, Error> {
        Ok(tenant.gateway.attachments(&tenant.id, id, page).await?)
    }
}
