//! The operations: how each is named in metrics, sent, read, and whether it may be repeated.

use reqwest::Method;

use super::outcome::Repeat;

const KIB: usize = 1024;

/// One operation of the Chat Gateway.
#[derive(Debug)]
pub(super) struct Operation {
    /// The word in metrics and logs.
    pub(super) name: &'static str,
    /// The HTTP method.
    pub(super) method: Method,
    /// Whether it may be repeated.
    pub(super) repeat: Repeat,
    /// How much of a successful answer is read, in bytes; more is refused.
    pub(super) answer_limit: usize,
}

pub(super) static CREATE: Operation =
    Operation::new("create_conversation", Method::POST, Repeat::Unsafe, 64 * KIB);
pub(super) static GET: Operation = Operation::new("get_conversation", Method::GET, Repeat::Safe, 1024 * KIB);
pub(super) static LIST: Operation =
    Operation::new("list_conversations", Method::GET, Repeat::Safe, 8192 * KIB);
/// Sets absolute values: a repeat finds them set.
pub(super) static PATCH_USER: Operation =
    Operation::accepted("patch_conversation", Method::PATCH, Repeat::Safe);
/// Routes the conversation: a repeat could take it away from the agent who accepted it meanwhile.
pub(super) static PATCH_ASSIGNMENT: Operation =
    Operation::accepted("patch_conversation", Method::PATCH, Repeat::Unsafe);
/// Sets an absolute value, too: the user is gone after one as after two. A repeat does harm only where the user came
/// back between the two, so repeats must be prompt; an unknown outcome would leave agents in abandoned conversations.
pub(super) static END: Operation = Operation::accepted("end_conversation", Method::PATCH, Repeat::Safe);
pub(super) static SEND: Operation = Operation::accepted("send_message", Method::POST, Repeat::Unsafe);
pub(super) static MESSAGES: Operation =
    Operation::new("list_messages", Method::GET, Repeat::Safe, 8192 * KIB);
pub(super) static TYPING: Operation = Operation::accepted("send_typing", Method::POST, Repeat::Unsafe);
pub(super) static SIGNING_KEY: Operation =
    Operation::new("get_signing_key", Method::GET, Repeat::Safe, 64 * KIB);

impl Operation {
    const fn new(name: &'static str, method: Method, repeat: Repeat, answer_limit: usize) -> Self {
        Self {
            name,
            method,
            repeat,
            answer_limit,
        }
    }

    /// An operation whose success is all in the status: whatever body comes along is not read.
    const fn accepted(name: &'static str, method: Method, repeat: Repeat) -> Self {
        Self::new(name, method, repeat, 0)
    }

    /// Whether a successful answer has a body that is needed.
    pub(super) fn has_answer(&self) -> bool {
        self.answer_limit > 0
    }
}
