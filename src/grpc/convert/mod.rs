//! The one place that converts between protobuf and domain.

mod event;
mod input;
mod json;
mod output;

pub use event::encode_event;
pub use input::{
    message_to_send, new_conversation, patch, sendable_author, valid_conversation_id, valid_labels,
    valid_request_id,
};
pub use json::{to_json, to_protobuf};
pub use output::{conversation, message, session, timestamp};
