//! What the customer types.

use std::io::BufRead as _;

use tokio::sync::mpsc;

/// The lines of standard input; the channel closes at its end.
///
/// A thread of its own, because nothing can interrupt a read of a terminal: the runtime would wait for it at exit.
pub(super) fn lines_of_stdin() -> mpsc::Receiver<String> {
    let (lines, received) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut line = Vec::new();
        while matches!(stdin.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if lines.blocking_send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    received
}

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// To send this.
    Say(String),
    /// To end the conversation.
    End,
    /// To leave without ending it.
    Quit,
    /// A command that does not exist.
    Mistyped(String),
    /// Nothing.
    Nothing,
}

impl Input {
    /// Reads a line. Only a single word behind the slash is a command, so that a path can be sent.
    pub(super) fn read(line: &str) -> Self {
        match line.trim() {
            "" => Self::Nothing,
            "/end" => Self::End,
            "/quit" => Self::Quit,
            text if is_command(text) => Self::Mistyped(text.to_owned()),
            text => Self::Say(text.to_owned()),
        }
    }
}

fn is_command(text: &str) -> bool {
    text.strip_prefix('/')
        .is_some_and(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("Hello\r\n", Input::Say("Hello".to_owned()))]
    #[case("  \n", Input::Nothing)]
    #[case("/end\n", Input::End)]
    #[case(" /quit ", Input::Quit)]
    #[case("/ent", Input::Mistyped("/ent".to_owned()))]
    #[case("/etc/hosts", Input::Say("/etc/hosts".to_owned()))]
    #[case("/ 2", Input::Say("/ 2".to_owned()))]
    fn lines_are_read(#[case] line: &str, #[case] expected: Input) {
        assert_eq!(Input::read(line), expected);
    }
}
