//! The one place that converts between protobuf and domain.

mod event;
mod input;
mod json;
mod output;
mod stored;

pub use event::encode_event;
pub(in crate::grpc) use input::{
    HISTORY_MAX, Purpose, channel, hand_over, handed_file, labels, message_to_send, new_attachment,
    new_conversation, patch, post_agent_assignment, replacement, target, wanted_conversation, webhook,
    webhook_to_verify,
};
pub use json::{to_json, to_protobuf};
pub(in crate::grpc) use output::{
    card, configured_channel, configured_webhook, interaction, jwk, participant, stored_attachment,
};
pub use output::{conversation, message, session, timestamp};
pub use stored::decode_event;
