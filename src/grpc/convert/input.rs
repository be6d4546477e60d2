//! Protobuf to domain, for requests: everything is checked here, and every mistake is named.

mod attachment;
mod configuration;
mod conversation;
mod message;
#[cfg(test)]
mod tests;
mod user;

pub(in crate::grpc) use attachment::{handed_file, new_attachment};
pub(in crate::grpc) use configuration::{Purpose, channel, webhook, webhook_to_verify};
pub(in crate::grpc) use conversation::{
    HISTORY_MAX, hand_over, labels, new_conversation, patch, post_agent_assignment, replacement, target,
    wanted_conversation,
};
pub(in crate::grpc) use message::message_to_send;
