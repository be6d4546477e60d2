//! How Redis proves who it is, and how we prove it to Redis, where connections are encrypted.

use std::{error::Error, io, path::PathBuf, sync::Arc};

use ::redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, RedisError, TlsCertificates, aio::MultiplexedConnection,
};
use rustls::{AlertDescription, CertificateError};

use super::error::{TOO_LATE, explain};
use crate::{
    store::StoreError,
    tls::{TlsError, read},
};

/// PEM files for connections to Redis, which are read anew for each connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedisTls {
    /// The authorities that Redis's certificate may come from; `None`: the well-known ones.
    pub ca: Option<PathBuf>,
    /// The certificate that is shown to Redis, and its chain; `None`: none.
    pub cert: Option<PathBuf>,
    /// Its private key; `None`: no certificate is shown.
    pub key: Option<PathBuf>,
}

impl RedisTls {
    /// What the files hold now; `None` where there are none.
    pub(super) fn certificates(&self) -> Result<Option<TlsCertificates>, TlsError> {
        let root_cert = self.ca.as_deref().map(read).transpose()?;
        let client_tls = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some(ClientTlsConfig {
                client_cert: read(cert)?,
                client_key: read(key)?,
            }),
            _ => None,
        };
        let certificates = TlsCertificates {
            client_tls,
            root_cert,
        };
        let is_any = certificates.root_cert.is_some() || certificates.client_tls.is_some();
        Ok(is_any.then_some(certificates))
    }
}

/// A server of Redis's, and how to prove oneself to it.
#[derive(Clone)]
pub(super) struct Target {
    client: Client,
    /// `None`: connections are not encrypted.
    tls: Option<Arc<RedisTls>>,
}

impl Target {
    pub(super) fn new(client: Client, tls: Option<Arc<RedisTls>>) -> Self {
        Self { client, tls }
    }

    #[cfg(test)]
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Makes a connection, with what the files hold now.
    pub(super) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, StoreError> {
        let Some(tls) = &self.tls else {
            return connect(&self.client, config).await;
        };
        let client = self.with_certificates(tls).await?;
        connect(&client, config).await.map_err(|error| match error {
            // Without TLS it waits for the end of a line, which it may never have been sent.
            StoreError::Unavailable(why) if why == TOO_LATE => {
                StoreError::Unavailable(format!("{why}, or does not speak TLS at this port"))
            }
            other => other,
        })
    }

    /// The client with what the files hold now.
    async fn with_certificates(&self, tls: &Arc<RedisTls>) -> Result<Client, StoreError> {
        let tls = Arc::clone(tls);
        let read = tokio::task::spawn_blocking(move || tls.certificates()).await;
        let certificates = read
            .map_err(|_| StoreError::Unavailable("the certificates for Redis could not be read".into()))?
            .map_err(|problem| {
                StoreError::Unavailable(format!("the certificates for Redis cannot be used: {problem}"))
            })?;
        let Some(certificates) = certificates else {
            return Ok(self.client.clone());
        };
        let info = self.client.get_connection_info().clone();
        Client::build_with_tls(info, certificates).map_err(|error| unusable(&error))
    }
}

async fn connect(
    client: &Client,
    config: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, StoreError> {
    client
        .get_multiplexed_async_connection_with_config(config)
        .await
        .map_err(|error| explain(&error))
}

fn unusable(error: &RedisError) -> StoreError {
    StoreError::Unavailable(format!(
        "redis_tls_ca_file, redis_tls_cert_file or redis_tls_key_file holds something that cannot be used: {error}"
    ))
}

/// What went wrong with TLS, and what to do; `None` where it was something else.
pub(super) fn explain_tls(error: &RedisError) -> Option<&'static str> {
    use rustls::Error as Tls;
    Some(match library_error(error)? {
        // An authority that was set up anew under its old name shows as a bad signature.
        Tls::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "Redis shows a certificate of an authority that is not believed: let redis_tls_ca_file name \
             the certificate of the authority that issued it"
        }
        Tls::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "Redis shows a certificate that does not name the host it was asked for: issue one that does, or let the \
             Redis URL, Sentinels and nodes use a name that it has"
        }
        Tls::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "Redis shows a certificate that has expired: renew it, or set this machine's clock"
        }
        Tls::InvalidCertificate(_) => {
            "Redis shows a certificate that is not valid: look at it with openssl s_client"
        }
        Tls::InvalidMessage(_) => {
            "what answers does not speak TLS: name Redis's tls-port in the Redis URL, or begin it with redis instead of \
             rediss"
        }
        Tls::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::HandshakeFailure,
        ) => {
            "Redis does not take the certificate that it is shown, or is shown none and wants one: set \
             redis_tls_cert_file and redis_tls_key_file to one that Redis's tls-ca-cert-file issued"
        }
        _ => return None,
    })
}

fn library_error(error: &RedisError) -> Option<&rustls::Error> {
    // The library shares what it wraps, and an I/O error's source is that of what it wraps, and not what it wraps.
    let shared = error.source()?.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    let wrapped = shared.downcast_ref::<io::Error>()?.get_ref()?;
    wrapped.downcast_ref::<rustls::Error>()
}
