//! What bot and customer said before, from a file.

use std::{fs, path::Path, str};

use crate::{
    cli::connect::CliError,
    grpc::proto::{AuthorType, MessageInput},
};

/// The vendor's limit.
const MOST_MESSAGES: usize = 200;

/// Reads a file of lines `user: …` and `bot: …`, oldest first; empty lines are skipped.
pub(super) fn read(path: &Path) -> Result<Vec<MessageInput>, CliError> {
    let shown = path.display();
    let content = fs::read(path)
        .map_err(|error| CliError::Argument(format!("the transcript {shown} cannot be read: {error}")))?;
    parse(&content)
        .map_err(|problem| CliError::Argument(format!("the transcript {shown} is wrong: {problem}")))
}

fn parse(content: &[u8]) -> Result<Vec<MessageInput>, String> {
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    let mut messages = Vec::new();
    for (number, line) in (1_usize..).zip(content.split(|byte| *byte == b'\n')) {
        let line = str::from_utf8(line)
            .map_err(|_| format!("line {number} is not UTF-8"))?
            .trim();
        if !line.is_empty() {
            messages.push(message(line).map_err(|problem| format!("line {number} {problem}"))?);
        }
    }
    match messages.len() {
        0..=MOST_MESSAGES => Ok(messages),
        len => Err(format!(
            "it has {len} messages, and {MOST_MESSAGES} is the most that the vendor takes"
        )),
    }
}

fn message(line: &str) -> Result<MessageInput, &'static str> {
    const EXPECTED: &str = "begins with neither \"user:\" nor \"bot:\"";
    let (author, text) = line.split_once(':').ok_or(EXPECTED)?;
    let author_type = match author.trim().to_ascii_lowercase().as_str() {
        "user" => AuthorType::User,
        "bot" => AuthorType::Bot,
        _ => return Err(EXPECTED),
    };
    match text.trim() {
        "" => Err("has no text"),
        text => Ok(MessageInput {
            author_type: author_type.into(),
            text: text.to_owned(),
            ..MessageInput::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_messages_in_their_order() {
        let messages =
            parse("\u{feff}bot: Hello: how can I help?\r\n\nUSER : My kettle\n".as_bytes()).unwrap();
        let read: Vec<_> = messages
            .iter()
            .map(|m| (m.author_type(), m.text.as_str()))
            .collect();
        assert_eq!(
            read,
            [
                (AuthorType::Bot, "Hello: how can I help?"),
                (AuthorType::User, "My kettle")
            ]
        );
    }

    #[rstest::rstest]
    #[case(b"bot: a\n\nagent: b", "line 3 begins with neither \"user:\" nor \"bot:\"")]
    #[case(b"bot a", "line 1 begins with neither \"user:\" nor \"bot:\"")]
    #[case(b"bot: a\nuser:  \n", "line 2 has no text")]
    #[case(b"bot: \xff", "line 1 is not UTF-8")]
    fn a_malformed_line_is_named_by_its_number(#[case] content: &[u8], #[case] expected: &str) {
        assert_eq!(parse(content).unwrap_err(), expected);
    }

    #[test]
    fn more_than_the_vendor_takes_is_refused() {
        assert_eq!(parse("bot: a\n".repeat(200).as_bytes()).unwrap().len(), 200);
        assert!(
            parse("bot: a\n".repeat(201).as_bytes())
                .unwrap_err()
                .starts_with("it has 201 messages")
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("/nowhere/t.txt")).unwrap_err().to_string();
        assert!(
            error.starts_with("the transcript /nowhere/t.txt cannot be read"),
            "{error}"
        );
    }
}
