//! Short ways to write the commonest messages.

use crate::v1::{Assignment, AssignmentType, AuthorType, MessageInput};

impl MessageInput {
    /// What the customer wrote.
    pub fn from_user(text: impl Into<String>) -> Self {
        Self {
            author_type: AuthorType::User.into(),
            text: text.into(),
            ..Self::default()
        }
    }

    /// What the bot wrote.
    pub fn from_bot(text: impl Into<String>) -> Self {
        Self {
            author_type: AuthorType::Bot.into(),
            text: text.into(),
            ..Self::default()
        }
    }
}

impl Assignment {
    /// To a queue, by the vendor's identifier.
    pub fn to_queue(id: impl Into<String>) -> Self {
        Self {
            r#type: AssignmentType::Queue.into(),
            id: id.into(),
            ..Self::default()
        }
    }

    /// To a script, by the vendor's identifier.
    pub fn to_script(id: impl Into<String>) -> Self {
        Self {
            r#type: AssignmentType::Script.into(),
            id: id.into(),
            ..Self::default()
        }
    }
}
