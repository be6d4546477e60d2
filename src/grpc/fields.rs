//! The vendor's names of fields, as the caller of an RPC knows them.
//!
//! The vendor names what it finds wrong in its own words (`user.additionalProperties[3].key`), and so does an error of the
//! gateway. Here such a path becomes the path in the request that the caller made, which depends on the RPC. A name that is
//! not known stays as it is: it still says more than none.

mod names;
#[cfg(test)]
mod tests;

use names::{Name, Names};

use crate::{
    error::{Error, Violation},
    gateway::UpstreamError,
};

/// The RPCs that call the vendor, named as in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rpc {
    /// A hand-over, and whether its transcript is longer than the vendor takes: then the vendor counts other messages than
    /// the caller.
    HandOverConversation {
        shortened: bool,
    },
    FindOrCreateConversation,
    CreateConversation,
    GetConversation,
    ListConversations,
    UpdateConversation,
    ReplaceConversation,
    TransferConversation,
    ListInteractions,
    CreatePostAgentAssignment,
    EndConversation,
    SendMessage,
    GetMessage,
    ListMessages,
    ListCards,
    SubmitCardAction,
    ExecuteCardAction,
    SendTypingIndicator,
    SendThinkingIndicator,
    SendReadReceipt,
    ListParticipants,
    UploadAttachment,
    DownloadAttachment,
    GetAttachment,
    ListAttachments,
    ListWebhooks,
    CreateWebhook,
    GetWebhook,
    ReplaceWebhook,
    DeleteWebhook,
    VerifyWebhook,
    ListChannels,
    CreateChannel,
    GetChannel,
    ReplaceChannel,
    DeleteChannel,
    GetSigningKey,
}

impl Rpc {
    /// Whether the request is a stream whose first message holds what other requests hold themselves.
    fn has_start(self) -> bool {
        matches!(self, Self::HandOverConversation { .. } | Self::UploadAttachment)
    }
}

/// An error with its fields in the names of the request.
pub(super) fn in_the_callers_names(rpc: Rpc, error: Error) -> Error {
    match error {
        Error::Upstream(error) => {
            let violations = error.violations.iter().map(|v| Violation {
                field: translate(rpc, &v.field),
                problem: v.problem.clone(),
            });
            Error::Upstream(UpstreamError {
                violations: violations.collect(),
                ..error
            })
        }
        Error::HandOverBroken {
            conversation,
            problem,
        } => Error::HandOverBroken {
            conversation,
            problem: Box::new(in_the_callers_names(rpc, *problem)),
        },
        Error::RequestIdReused { .. } if rpc.has_start() => Error::RequestIdReused {
            field: "start.request_id",
        },
        other => other,
    }
}

/// One path of the vendor's.
fn translate(rpc: Rpc, vendor: &str) -> String {
    let mut ours: Vec<String> = Vec::new();
    let mut names = names::of(rpc);
    let mut rest = vendor;
    while let Some((name, index, behind)) = longest(names, rest) {
        let index = if name.part.is_shortened() { "" } else { index };
        ours.push(format!("{}{index}", name.ours));
        names = name.part.names();
        rest = behind;
    }
    if ours.is_empty() {
        return vendor.to_owned();
    }
    if !rest.is_empty() {
        ours.push(rest.to_owned());
    }
    ours.join(".")
}

/// The longest of the names that a path begins with, its index such as `[3]`, and what comes behind it.
fn longest(names: Names, path: &str) -> Option<(&'static Name, &str, &str)> {
    let all = names.iter().copied().flatten();
    let matching = all.filter_map(|name| {
        let behind = path.strip_prefix(name.vendor)?;
        let index_len = if behind.starts_with('[') {
            behind.find(']')? + 1
        } else {
            0
        };
        let (index, behind) = behind.split_at(index_len);
        match behind.strip_prefix('.') {
            Some(behind) => Some((name, index, behind)),
            None => behind.is_empty().then_some((name, index, behind)),
        }
    });
    matching.max_by_key(|(name, ..)| name.vendor.len())
}
