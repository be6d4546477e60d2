//! A cursor in a file.

use std::path::PathBuf;

use bytes::Bytes;
use chatbridge_client::{BoxError, CursorHooks};
use tokio::{fs, io};

pub(crate) struct CursorFile(pub(crate) PathBuf);

impl CursorHooks for CursorFile {
    async fn load(&self) -> Result<Option<Bytes>, BoxError> {
        match fs::read(&self.0).await {
            Ok(cursor) => Ok(Some(cursor.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn save(&self, cursor: Bytes) -> Result<(), BoxError> {
        let new = self.0.with_extension("new");
        fs::write(&new, &cursor).await?;
        Ok(fs::rename(&new, &self.0).await?)
    }
}
