//! A transcript of any length, made to fit what the vendor takes.

use super::hand_over::TranscriptPolicy;
use crate::{
    error::Error,
    event::{AuthorType, Message, Participant},
};

/// How many messages of history the vendor takes.
pub const MESSAGES_MAX: usize = 200;
/// How long a text may be, in bytes.
pub const TEXT_MAX: usize = 65_536;

/// How long a note may be, in bytes: the rest of its message is for what it is about.
const NOTE_MAX: usize = 4_096;
/// How much of a message is kept where it is condensed, in characters.
const LINE_CHARS: usize = 200;

const LEFT_OUT: &str = "{count} earlier messages were left out.";
const CONDENSED: &str = "{count} earlier messages, condensed:";
const COUNT: &str = "{count}";

/// A transcript that the vendor takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// At most [`MESSAGES_MAX`], oldest first.
    pub messages: Vec<Message>,
    /// How many messages are not in there at all.
    pub omitted: u32,
    /// How many messages were condensed.
    pub summarised: u32,
}

/// Makes a transcript fit. `note` stands in place of what was left out, with `{count}`; empty: one in English.
pub fn fit(mut history: Vec<Message>, policy: TranscriptPolicy, note: &str) -> Result<Fitted, Error> {
    if history.len() <= MESSAGES_MAX {
        return Ok(Fitted {
            messages: history,
            omitted: 0,
            summarised: 0,
        });
    }
    if policy == TranscriptPolicy::Fail {
        return Err(Error::invalid(
            "start.history",
            format!(
                "has {} messages, and 8x8 takes at most {MESSAGES_MAX}",
                history.len()
            ),
        ));
    }
    // One place is for the note.
    let newest = history.split_off(history.len() - (MESSAGES_MAX - 1));
    let (text, condensed) = match policy {
        TranscriptPolicy::Summarise => condense(&history, note),
        _ => (written(note, LEFT_OUT, history.len()), 0),
    };
    let mut messages = vec![by_bot(text)];
    messages.extend(newest);
    Ok(Fitted {
        messages,
        omitted: number(history.len() - condensed),
        summarised: number(condensed),
    })
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn by_bot(text: String) -> Message {
    Message {
        id: String::new(),
        author: Participant::new("", Some(AuthorType::Bot)),
        text,
        created_ms: None,
        attachments: Vec::new(),
        cards: Vec::new(),
        external_provider: None,
        echo: false,
    }
}

/// A note: the caller's, or ours.
fn written(note: &str, ours: &str, count: usize) -> String {
    let note = if note.trim().is_empty() { ours } else { note };
    cut(note.replace(COUNT, &count.to_string()), NOTE_MAX)
}

/// Cuts a text to at most so many bytes, between characters.
fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

/// A note with a line for each message as far as there is room, the oldest being left out; and how many lines.
fn condense(old: &[Message], note: &str) -> (String, usize) {
    let heading = written(note, CONDENSED, old.len());
    // What says how many have no line, at its longest.
    let in_english = note.trim().is_empty();
    let room = TEXT_MAX - heading.len() - left_out(old.len(), in_english).len();
    let mut lines = Vec::new();
    let mut taken = 0;
    for message in old.iter().rev() {
        let line = line(message);
        taken += line.len();
        if taken > room {
            break;
        }
        lines.push(line);
    }
    let condensed = lines.len();
    let mut text = heading;
    if condensed < old.len() {
        text.push_str(&left_out(old.len() - condensed, in_english));
    }
    text.extend(lines.into_iter().rev());
    (text, condensed)
}

/// A line about those that have none. Under a note in the agents' own language it is understood in any.
fn left_out(count: usize, in_english: bool) -> String {
    if in_english {
        format!("\n[the oldest {count} of them are left out]")
    } else {
        format!("\n[… {count}]")
    }
}

fn line(message: &Message) -> String {
    let author = match message.author.kind {
        Some(AuthorType::User) => "customer",
        Some(AuthorType::Bot) => "bot",
        Some(AuthorType::Agent) => "agent",
        Some(AuthorType::System) | None => "system",
    };
    let mut words: Vec<String> = Vec::new();
    let text = flat(&message.text);
    if !text.is_empty() {
        words.push(text);
    }
    if let Some(provider) = &message.external_provider {
        words.push(format!("[{}]", flat(&provider.name)));
    }
    let cards = message.cards.iter().map(|_| "[card]");
    let files = message.attachments.iter().map(|_| "[file]");
    words.extend(cards.chain(files).map(str::to_owned));
    format!("\n{author}: {}", words.join(" "))
}

/// The beginning of a text, on one line.
fn flat(text: &str) -> String {
    let mut flat = String::new();
    let mut chars = 0;
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
    {
        if chars > 0 {
            flat.push(' ');
            chars += 1;
        }
        for c in word.chars() {
            if chars >= LINE_CHARS {
                flat.push('…');
                return flat;
            }
            flat.push(c);
            chars += 1;
        }
    }
    flat
}

#[cfg(test)]
mod tests;
