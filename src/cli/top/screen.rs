//! A page of a terminal that is written anew each time, and given back at the end.

use std::io::{self, Write as _};

use rustix::termios::tcgetwinsize;

/// The other page of the terminal, without a cursor; and back.
const OPEN: &str = "\u{1b}[?1049h\u{1b}[?25l";
const CLOSE: &str = "\u{1b}[?25h\u{1b}[?1049l";
/// To the upper left corner; the rest of the line, and of the page, is empty.
const HOME: &str = "\u{1b}[H";
const REST_OF_LINE: &str = "\u{1b}[K";
const REST_OF_PAGE: &str = "\u{1b}[J";
/// What a terminal is taken to have that does not say.
const ROWS: usize = 24;
const COLUMNS: usize = 80;

/// The page, until it is dropped.
pub(super) struct Screen;

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        write(OPEN)?;
        Ok(Self)
    }

    /// Shows as much of it as there is room for.
    #[allow(clippy::unused_self, reason = "only an open screen can be written to")]
    pub(super) fn show(&mut self, lines: &[String]) -> io::Result<()> {
        let (rows, columns) = size();
        let mut page = HOME.to_owned();
        for (number, line) in lines.iter().take(rows).enumerate() {
            page += if number == 0 { "" } else { "\r\n" };
            page.extend(line.chars().take(columns));
            page += REST_OF_LINE;
        }
        write(&(page + REST_OF_PAGE))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to give back.
        let _ = write(CLOSE);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => (size.ws_row.into(), size.ws_col.into()),
        _ => (ROWS, COLUMNS),
    }
}
