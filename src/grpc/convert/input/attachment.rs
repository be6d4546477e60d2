//! Files to upload.

use super::message::text;
use crate::{
    gateway::NewAttachment,
    grpc::{check::Check, proto},
};

/// A file that is uploaded by itself; `bytes_max` is the tenant's limit.
pub(in crate::grpc) fn new_attachment(
    check: &mut Check,
    start: &proto::UploadAttachmentStart,
    bytes_max: u64,
) -> NewAttachment {
    check.file_name("start.file_name", &start.file_name);
    NewAttachment {
        file_name: start.file_name.clone(),
        media_type: check.media_type("start.media_type", &start.media_type),
        size_bytes: check.size("start.size_bytes", start.size_bytes, bytes_max),
        author: check.author("start.author_type", start.author_type),
    }
}

/// A file of a hand-over.
pub(in crate::grpc) fn handed_file(
    check: &mut Check,
    file: &proto::HandOverFile,
    bytes_max: u64,
) -> NewAttachment {
    check.file_name("file.file_name", &file.file_name);
    text(check, "file.text", &file.text);
    NewAttachment {
        file_name: file.file_name.clone(),
        media_type: check.media_type("file.media_type", &file.media_type),
        size_bytes: check.size("file.size_bytes", file.size_bytes, bytes_max),
        author: check.author("file.author_type", file.author_type),
    }
}
