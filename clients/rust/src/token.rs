//! The caller's token, which no textual form of anything has.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use crate::{BoxError, Error};

type Function = dyn Fn() -> BoxFuture<'static, Result<String, BoxError>> + Send + Sync;

#[derive(Clone)]
pub(crate) enum Token {
    Text(SecretString),
    Function(Arc<Function>),
}

impl Token {
    pub(crate) fn function<F, T>(function: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        Self::Function(Arc::new(move || Box::pin(function())))
    }

    pub(crate) fn is_function(&self) -> bool {
        matches!(self, Self::Function(_))
    }

    /// Puts the token that is good now into the metadata of a call.
    pub(crate) async fn give(&self, metadata: &mut MetadataMap) -> Result<(), Error> {
        let token = match self {
            Self::Text(text) => text.clone(),
            Self::Function(function) => function().await.map_err(Error::Token)?.into(),
        };
        let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.expose_secret())
            .parse()
            .map_err(|_| Error::Usage("the token has characters that no header can have".to_owned()))?;
        // So that HTTP/2 keeps it out of its tables, and Debug out of logs.
        value.set_sensitive(true);
        metadata.insert("authorization", value);
        Ok(())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_function() {
            "Token(function)"
        } else {
            "Token(text)"
        })
    }
}
