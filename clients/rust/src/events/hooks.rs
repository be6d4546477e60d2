use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::{BoxError, Error};

/// Keeps a stream's cursor for the application. What these fail with ends the stream.
pub trait CursorHooks: Send + Sync + 'static {
    /// The cursor to start after, asked for once, before the first connection; it wins over the start of the request. `None`: there
    /// is none yet.
    fn load(&self) -> impl Future<Output = Result<Option<Bytes>, BoxError>> + Send;

    /// Keeps a cursor: all up to it was processed. Called when the application asks for the response after it, or closes the stream.
    fn save(&self, cursor: Bytes) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Hooks of any type.
pub(super) trait Hooks: Send + Sync {
    fn load(self: Arc<Self>) -> BoxFuture<'static, Result<Option<Bytes>, Error>>;
    fn save(self: Arc<Self>, cursor: Bytes) -> BoxFuture<'static, Result<(), Error>>;
}

impl<H: CursorHooks> Hooks for H {
    fn load(self: Arc<Self>) -> BoxFuture<'static, Result<Option<Bytes>, Error>> {
        Box::pin(async move {
            CursorHooks::load(&*self).await.map_err(|source| Error::Cursor {
                what: "loaded",
                source,
            })
        })
    }

    fn save(self: Arc<Self>, cursor: Bytes) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(async move {
            CursorHooks::save(&*self, cursor)
                .await
                .map_err(|source| Error::Cursor {
                    what: "saved",
                    source,
                })
        })
    }
}
