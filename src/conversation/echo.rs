//! How the echo of a message is matched with its send.
//!
//! The vendor gives a send no identifier and an echo none either, so the two are matched by what they say: in one
//! conversation, the first echo that says the same as a send that was announced is that send's.

use aws_lc_rs::digest::{Context, SHA256};

use crate::event::Message;

/// A fingerprint of what a message says. It reveals nothing of it.
pub fn fingerprint(message: &Message) -> String {
    let mut hash = Context::new(&SHA256);
    let mut part = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    // Surrounding white space and the content of cards are the vendor's to rewrite.
    part(message.text.trim().as_bytes());
    for attachment in &message.attachments {
        part(attachment.id.as_bytes());
    }
    part(b"cards");
    for card in &message.cards {
        part(card.content_type.as_bytes());
    }
    hash.finish().as_ref()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
