//! One conversation for each tenant, channel and customer, however many callers ask at once.

use std::collections::BTreeMap;

use super::Conversations;
use crate::{
    error::Error,
    gateway::{Conversation, NewConversation},
    store::Cursor,
    tenant::Tenant,
};

/// A conversation that was found or created.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The conversation: as the vendor has it where it was found; what was asked for, where it is new.
    pub conversation: Conversation,
    /// Whether this very call created it.
    pub created: bool,
    /// Where it is new, from before it was created; otherwise from before this call.
    pub cursor: Cursor,
}

impl Conversations {
    /// Finds the conversation of `new.user.user_id` on `new.channel_id`, or creates it.
    pub async fn find_or_create(
        &self,
        _tenant: &Tenant,
        _new: &NewConversation,
        _labels: &BTreeMap<String, String>,
    ) -> Result<Found, Error> {
        Err(Error::StoreCorrupt)
    }
}
