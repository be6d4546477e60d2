//! Which role each RPC needs. What is not in the table cannot be called.

use std::{collections::HashMap, sync::LazyLock};

use super::Role;

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nothing: anybody who reaches the port may.
    Anybody,
    /// Some caller with at least this role.
    Role(Role),
}

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// As long as a call may take at most.
    Call,
    /// As long as it has something to carry: streams and files, which have limits of their own.
    Stream,
}

/// What is known of an RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rpc {
    /// `/package.Service/Method`.
    pub path: &'static str,
    /// What it needs.
    pub rule: Rule,
    /// How long it may take.
    pub length: Length,
    /// Whether it changes something.
    pub changes: bool,
}

const fn reads(path: &'static str) -> Rpc {
    Rpc {
        path,
        rule: Rule::Role(Role::Reader),
        length: Length::Call,
        changes: false,
    }
}

const fn writes(path: &'static str) -> Rpc {
    Rpc {
        path,
        rule: Rule::Role(Role::Caller),
        length: Length::Call,
        changes: true,
    }
}

const fn manages(path: &'static str) -> Rpc {
    Rpc {
        path,
        rule: Rule::Role(Role::Admin),
        length: Length::Call,
        changes: true,
    }
}

impl Rpc {
    const fn streamed(self) -> Self {
        Self {
            length: Length::Stream,
            ..self
        }
    }

    const fn open(self) -> Self {
        Self {
            rule: Rule::Anybody,
            ..self
        }
    }
}

/// All RPCs. Committing is part of reading: whoever may read a named subscription moves it. Of the vendor's configuration, readers
/// may see channels; webhooks' addresses may hold secrets.
pub const RPCS: &[Rpc] = &[
    reads("/chatbridge.v1.AgentEventService/AgentEvents").streamed(),
    reads("/chatbridge.v1.AgentEventService/ChangeAgentEvents"),
    reads("/chatbridge.v1.AgentEventService/CommitCursor"),
    writes("/chatbridge.v1.SubscriptionService/CreateSubscription"),
    reads("/chatbridge.v1.SubscriptionService/GetSubscription"),
    reads("/chatbridge.v1.SubscriptionService/ListSubscriptions"),
    writes("/chatbridge.v1.SubscriptionService/DeleteSubscription"),
    reads("/chatbridge.v1.SessionService/GetSession"),
    reads("/chatbridge.v1.SessionService/ListSessions"),
    manages("/chatbridge.v1.SessionService/EraseConversation"),
    writes("/chatbridge.v1.AttachmentService/UploadAttachment").streamed(),
    reads("/chatbridge.v1.AttachmentService/DownloadAttachment").streamed(),
    reads("/chatbridge.v1.AttachmentService/GetAttachment"),
    reads("/chatbridge.v1.AttachmentService/ListAttachments"),
    writes("/chatbridge.v1.ConversationService/HandOverConversation").streamed(),
    writes("/chatbridge.v1.ConversationService/FindOrCreateConversation"),
    writes("/chatbridge.v1.ConversationService/CreateConversation"),
    reads("/chatbridge.v1.ConversationService/GetConversation"),
    reads("/chatbridge.v1.ConversationService/ListConversations"),
    writes("/chatbridge.v1.ConversationService/UpdateConversation"),
    writes("/chatbridge.v1.ConversationService/ReplaceConversation"),
    writes("/chatbridge.v1.ConversationService/TransferConversation"),
    reads("/chatbridge.v1.ConversationService/ListInteractions"),
    writes("/chatbridge.v1.ConversationService/CreatePostAgentAssignment"),
    writes("/chatbridge.v1.ConversationService/EndConversation"),
    writes("/chatbridge.v1.ConversationService/SendMessage"),
    reads("/chatbridge.v1.ConversationService/GetMessage"),
    reads("/chatbridge.v1.ConversationService/ListMessages"),
    reads("/chatbridge.v1.ConversationService/ListCards"),
    writes("/chatbridge.v1.ConversationService/SubmitCardAction"),
    writes("/chatbridge.v1.ConversationService/ExecuteCardAction"),
    writes("/chatbridge.v1.ConversationService/SendTypingIndicator"),
    writes("/chatbridge.v1.ConversationService/SendThinkingIndicator"),
    writes("/chatbridge.v1.ConversationService/SendReadReceipt"),
    reads("/chatbridge.v1.ConversationService/ListParticipants"),
    manages("/chatbridge.v1.ConfigurationService/ListWebhooks"),
    manages("/chatbridge.v1.ConfigurationService/CreateWebhook"),
    manages("/chatbridge.v1.ConfigurationService/GetWebhook"),
    manages("/chatbridge.v1.ConfigurationService/ReplaceWebhook"),
    manages("/chatbridge.v1.ConfigurationService/DeleteWebhook"),
    manages("/chatbridge.v1.ConfigurationService/VerifyWebhook"),
    reads("/chatbridge.v1.ConfigurationService/ListChannels"),
    manages("/chatbridge.v1.ConfigurationService/CreateChannel"),
    reads("/chatbridge.v1.ConfigurationService/GetChannel"),
    manages("/chatbridge.v1.ConfigurationService/ReplaceChannel"),
    manages("/chatbridge.v1.ConfigurationService/DeleteChannel"),
    reads("/chatbridge.v1.ConfigurationService/GetSigningKey"),
    reads("/grpc.health.v1.Health/Check").open(),
    reads("/grpc.health.v1.Health/Watch").open().streamed(),
    reads("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo").streamed(),
    reads("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo").streamed(),
];

/// What is known of an RPC; `None`: it cannot be called.
pub fn of(path: &str) -> Option<&'static Rpc> {
    static BY_PATH: LazyLock<HashMap<&str, &Rpc>> =
        LazyLock::new(|| RPCS.iter().map(|rpc| (rpc.path, rpc)).collect());
    BY_PATH.get(path).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost_reflect::DescriptorPool;

    use super::*;
    use crate::grpc::proto;

    #[test]
    fn every_rpc_has_one_rule_and_every_rule_an_rpc() {
        let mut pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        pool.decode_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .unwrap();
        pool.decode_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
            .unwrap();
        pool.decode_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
            .unwrap();
        let served: BTreeSet<String> = pool
            .services()
            .flat_map(|service| {
                let name = service.full_name().to_owned();
                service
                    .methods()
                    .map(|method| format!("/{name}/{}", method.name()))
                    .collect::<Vec<_>>()
            })
            .collect();
        let ruled: BTreeSet<String> = RPCS.iter().map(|rpc| rpc.path.to_owned()).collect();
        assert_eq!(ruled.len(), RPCS.len(), "one rule each");
        assert_eq!(served, ruled);
    }

    #[test]
    fn what_streams_is_not_cut_off_as_a_call() {
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        for method in pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
        {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            let streams = method.is_client_streaming() || method.is_server_streaming();
            assert_eq!(of(&path).unwrap().length == Length::Stream, streams, "{path}");
        }
    }

    #[test]
    fn only_health_is_for_anybody() {
        for rpc in RPCS.iter().filter(|rpc| rpc.rule == Rule::Anybody) {
            assert!(rpc.path.starts_with("/grpc.health.v1.Health/"), "{}", rpc.path);
        }
        assert!(of("/chatbridge.v1.ConversationService/Nothing").is_none());
    }
}
