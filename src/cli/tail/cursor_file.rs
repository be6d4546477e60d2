//! A file that keeps the place between two runs.

use std::{ffi::OsString, fs, io, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::from::decode_cursor;
use crate::cli::connect::CliError;

/// A file with a cursor in base64.
#[derive(Debug)]
pub(super) struct CursorFile {
    path: PathBuf,
    /// Beside it, because only a rename within one file system is atomic.
    draft: PathBuf,
}

impl CursorFile {
    pub(super) fn new(path: PathBuf) -> Self {
        let mut draft = OsString::from(&path);
        draft.push(".tmp");
        Self {
            path,
            draft: draft.into(),
        }
    }

    /// The cursor in it; none where it does not exist. A file with anything else in it is an error: to start elsewhere
    /// would skip events silently.
    pub(super) fn read(&self) -> Result<Option<Bytes>, CliError> {
        let path = self.path.display();
        let content = match fs::read_to_string(&self.path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(CliError::Argument(format!(
                    "the cursor file {path} cannot be read: {error}"
                )));
            }
        };
        decode_cursor(content.trim()).map(Some).map_err(|problem| {
            CliError::Argument(format!(
                "the cursor file {path} holds no cursor ({problem}): remove it to start as --from says"
            ))
        })
    }

    /// Replaces the cursor in one step: whoever reads finds the old or the new one.
    pub(super) fn write(&self, cursor: &[u8]) -> Result<(), CliError> {
        if cursor.is_empty() {
            return Ok(());
        }
        fs::write(&self.draft, format!("{}\n", STANDARD.encode(cursor)))
            .and_then(|()| fs::rename(&self.draft, &self.path))
            .map_err(|error| {
                let path = self.path.display();
                CliError::Failed(format!("the cursor file {path} cannot be written: {error}"))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_no_draft_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = CursorFile::new(folder.path().join("cursor"));
        assert_eq!(file.read().unwrap(), None);
        for cursor in [&b"one"[..], &b"two"[..], &b""[..]] {
            file.write(cursor).unwrap();
        }
        assert_eq!(file.read().unwrap().unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[rstest::rstest]
    #[case("")]
    #[case("not a cursor")]
    fn a_file_with_something_else_is_refused(#[case] content: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor");
        fs::write(&path, content).unwrap();
        let error = CursorFile::new(path).read().unwrap_err().to_string();
        assert!(
            error.contains("holds no cursor") && error.contains("remove it"),
            "{error}"
        );
    }

    #[test]
    fn a_folder_that_does_not_exist_is_named() {
        let file = CursorFile::new(PathBuf::from("/nowhere/cursor"));
        let error = file.write(b"one").unwrap_err().to_string();
        assert!(
            error.starts_with("the cursor file /nowhere/cursor cannot be written"),
            "{error}"
        );
    }
}
