//! How a message that was sent is known again: its echo, and what the vendor lists.
//!
//! The vendor gives a send no identifier and an echo none either, so the two are matched by what they say: in one
//! conversation, the first echo that says the same as a send that was announced is that send's.

use aws_lc_rs::digest::{Context, SHA256};

use crate::event::{AuthorType, Message};

/// A fingerprint of what a message says, by which its echo is known. It reveals nothing of it.
pub fn fingerprint(message: &Message) -> String {
    let mut print = Fingerprint::default();
    says(&mut print, message);
    print.finish()
}

/// A fingerprint of all that the vendor shows of a message when it is read again: what it says, whose it is, and where another
/// service holds it.
pub fn sent_fingerprint(message: &Message) -> String {
    let mut print = Fingerprint::default();
    print.text(message.author.kind.map_or("", AuthorType::as_str));
    says(&mut print, message);
    if let Some(provider) = &message.external_provider {
        print.text("provider");
        print.text(&provider.name);
        print.text(&provider.external_message_id);
    }
    print.finish()
}

fn says(print: &mut Fingerprint, message: &Message) {
    // Surrounding white space and the content of cards are the vendor's to rewrite.
    print.text(message.text.trim());
    for attachment in &message.attachments {
        print.text(&attachment.id);
    }
    print.text("cards");
    for card in &message.cards {
        print.text(&card.content_type);
    }
}

/// A hash over parts of any length, as 32 characters.
pub(super) struct Fingerprint(Context);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Fingerprint {
    pub(super) fn text(&mut self, part: &str) {
        self.0.update(&(part.len() as u64).to_be_bytes());
        self.0.update(part.as_bytes());
    }

    pub(super) fn finish(self) -> String {
        hex(&self.0.finish().as_ref()[..16])
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ExternalProvider, Participant};

    fn message(author: AuthorType, text: &str) -> Message {
        Message {
            id: String::new(),
            author: Participant::new("", Some(author)),
            text: text.into(),
            created_ms: None,
            attachments: Vec::new(),
            cards: Vec::new(),
            external_provider: None,
            echo: false,
        }
    }

    #[test]
    fn an_echo_is_known_by_what_it_says_and_a_sent_message_by_its_author_too() {
        let (bot, user) = (message(AuthorType::Bot, " hi "), message(AuthorType::User, "hi"));
        assert_eq!(fingerprint(&bot), fingerprint(&user));
        assert_ne!(sent_fingerprint(&bot), sent_fingerprint(&user));
        assert_eq!(
            sent_fingerprint(&bot),
            sent_fingerprint(&message(AuthorType::Bot, "hi"))
        );
    }

    #[test]
    fn messages_that_another_service_holds_are_told_apart() {
        let held = |id: &str| Message {
            external_provider: Some(ExternalProvider {
                name: "sms".into(),
                external_message_id: id.into(),
            }),
            ..message(AuthorType::User, "")
        };
        assert_ne!(sent_fingerprint(&held("1")), sent_fingerprint(&held("2")));
    }
}
