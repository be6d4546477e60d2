//! The operations: how each is named in metrics, sent, read, and whether it may be repeated.

use reqwest::Method;

use super::outcome::Repeat::{self, Safe, Unsafe};

const KIB: usize = 1024;
/// The limit of an answer whose texts are all short.
const SHORT: usize = 64 * KIB;
/// The limit of an answer with one long text, or of a list of short ones.
const LONG: usize = 1024 * KIB;
/// The limit of a list of answers that may each be long.
const LONG_LIST: usize = 8192 * KIB;

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
    /// Where no answer is needed: whether one that comes all the same, whole and soon, is kept.
    pub(super) keeps_answer: bool,
    /// Whether it goes past the limits that callers share.
    pub(super) is_past_limits: bool,
}

pub(super) static LIST_WEBHOOKS: Operation = Operation::read("list_webhooks", LONG);
pub(super) static CREATE_WEBHOOK: Operation = Operation::new("create_webhook", Method::POST, Unsafe, SHORT);
pub(super) static GET_WEBHOOK: Operation = Operation::read("get_webhook", SHORT);
pub(super) static REPLACE_WEBHOOK: Operation = Operation::new("replace_webhook", Method::PUT, Safe, SHORT);
pub(super) static DELETE_WEBHOOK: Operation = Operation::accepted("delete_webhook", Method::DELETE, Safe);
pub(super) static VERIFY_WEBHOOK: Operation = Operation::accepted("verify_webhook", Method::POST, Unsafe);
pub(super) static SIGNING_KEY: Operation = Operation::read("get_signing_key", SHORT);
/// The same for the webhook door, which must not wait for callers, nor they use up what it needs.
pub(super) static VERIFICATION_KEY: Operation = Operation::read("get_signing_key", SHORT).past_limits();

pub(super) static LIST_CHANNELS: Operation = Operation::read("list_channels", LONG);
pub(super) static CREATE_CHANNEL: Operation = Operation::new("create_channel", Method::POST, Unsafe, SHORT);
pub(super) static GET_CHANNEL: Operation = Operation::read("get_channel", SHORT);
pub(super) static REPLACE_CHANNEL: Operation = Operation::new("replace_channel", Method::PUT, Safe, SHORT);
pub(super) static DELETE_CHANNEL: Operation = Operation::accepted("delete_channel", Method::DELETE, Safe);

pub(super) static CREATE: Operation = Operation::new("create_conversation", Method::POST, Unsafe, SHORT);
pub(super) static GET: Operation = Operation::read("get_conversation", LONG);
pub(super) static LIST: Operation = Operation::read("list_conversations", LONG_LIST);
/// Sets absolute values: a repeat finds them set.
pub(super) static PATCH_USER: Operation =
    Operation::accepted("patch_conversation", Method::PATCH, Safe).keeping_answer();
/// Routes the conversation: a repeat could take it away from the agent who accepted it meanwhile.
pub(super) static PATCH_ASSIGNMENT: Operation =
    Operation::accepted("patch_conversation", Method::PATCH, Unsafe).keeping_answer();
/// As [`PATCH_USER`].
pub(super) static REPLACE_USER: Operation =
    Operation::accepted("replace_conversation", Method::PUT, Safe).keeping_answer();
/// As [`PATCH_ASSIGNMENT`].
pub(super) static REPLACE_ASSIGNMENT: Operation =
    Operation::accepted("replace_conversation", Method::PUT, Unsafe).keeping_answer();
pub(super) static INTERACTIONS: Operation = Operation::read("list_interactions", LONG);
pub(super) static POST_AGENT_ASSIGNMENT: Operation =
    Operation::accepted("create_post_agent_assignment", Method::POST, Unsafe);
/// Sets an absolute value, too: the user is gone after one as after two. A repeat does harm only where the user came
/// back between the two, so repeats must be prompt; an unknown outcome would leave agents in abandoned conversations.
pub(super) static END: Operation = Operation::accepted("end_conversation", Method::PATCH, Safe);
pub(super) static PARTICIPANTS: Operation = Operation::read("list_participants", LONG);
pub(super) static TYPING: Operation = Operation::accepted("send_typing", Method::POST, Unsafe);
pub(super) static THINKING: Operation = Operation::accepted("send_thinking", Method::POST, Unsafe);
pub(super) static READ_RECEIPT: Operation = Operation::accepted("send_read_receipt", Method::POST, Unsafe);

pub(super) static SEND: Operation = Operation::accepted("send_message", Method::POST, Unsafe);
pub(super) static MESSAGE: Operation = Operation::read("get_message", LONG);
pub(super) static MESSAGES: Operation = Operation::read("list_messages", LONG_LIST);
pub(super) static CARDS: Operation = Operation::read("list_cards", LONG_LIST);
/// Notifies whoever sent the card, each time.
pub(super) static SUBMIT_CARD_ACTION: Operation =
    Operation::accepted("submit_card_action", Method::PUT, Unsafe);
/// As [`SUBMIT_CARD_ACTION`].
pub(super) static EXECUTE_CARD_ACTION: Operation =
    Operation::accepted("execute_card_action", Method::PUT, Unsafe);

pub(super) static ATTACHMENT: Operation = Operation::read("get_attachment", SHORT);
pub(super) static ATTACHMENTS: Operation = Operation::read("list_attachments", LONG);

/// The answer holds the details of the file alone.
pub(super) static UPLOAD: Operation =
    Operation::new("upload_attachment", Method::POST, Repeat::Unsafe, 64 * KIB);
/// Its answer is streamed, so this limit is for nothing but refusals of another kind.
pub(super) static DOWNLOAD: Operation =
    Operation::new("download_attachment", Method::GET, Repeat::Safe, 64 * KIB);

impl Operation {
    const fn new(name: &'static str, method: Method, repeat: Repeat, answer_limit: usize) -> Self {
        Self {
            name,
            method,
            repeat,
            answer_limit,
            keeps_answer: false,
            is_past_limits: false,
        }
    }

    const fn read(name: &'static str, answer_limit: usize) -> Self {
        Self::new(name, Method::GET, Safe, answer_limit)
    }

    /// An operation whose success is all in the status: whatever body comes along is not read.
    const fn accepted(name: &'static str, method: Method, repeat: Repeat) -> Self {
        Self::new(name, method, repeat, 0)
    }

    /// The same, where the body is welcome: without it, or with one that is cut, late or too large, it is a success still.
    const fn keeping_answer(mut self) -> Self {
        self.keeps_answer = true;
        self
    }

    const fn past_limits(mut self) -> Self {
        self.is_past_limits = true;
        self
    }

    /// Whether a successful answer has a body that is needed.
    pub(super) fn has_answer(&self) -> bool {
        self.answer_limit > 0
    }
}
