//! What is in the PEM files of a port, as a configuration of TLS.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use aws_lc_rs::digest::{Context, SHA256};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs::default_provider},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

use super::certificate::validity;

/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a port's certificate is, and from whom it wants one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the server's certificate first, and behind it those that lead from it to a root.
    pub cert: PathBuf,
    /// PEM: its private key, not encrypted.
    pub key: PathBuf,
    /// Which certificates of clients are verified; `None`: none is asked for.
    pub client_auth: Option<ClientAuth>,
}

/// Which certificates of clients are verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAuth {
    /// PEM: the authorities that clients' certificates come from.
    pub ca: PathBuf,
    /// Whether a client without a certificate is turned away.
    pub required: bool,
}

/// Why files make no configuration, as a sentence that names the file and shows nothing of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(pub String);

/// What the files held at one time.
pub(super) struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
    ca: Option<Vec<u8>>,
}

/// A configuration, and until when its certificate is valid.
pub(super) struct Built {
    pub(super) config: Arc<ServerConfig>,
    pub(super) not_after: SystemTime,
}

fn problem(file: &Path, what: impl std::fmt::Display) -> TlsError {
    TlsError(format!("{}: {what}", file.display()))
}

/// Reads a file that is not too large to be PEM.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error: std::io::Error| problem(file, format!("cannot be read: {error}"));
    let opened = File::open(file).map_err(unreadable)?;
    // Reading a pipe would wait for a writer.
    if !opened.metadata().map_err(unreadable)?.is_file() {
        return Err(problem(file, "is not a regular file"));
    }
    let mut content = Vec::new();
    opened
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(problem(file, format!("is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(content)
}

/// The certificates of a PEM file; at least one.
pub(super) fn certificates(file: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| problem(file, "is not PEM"))?;
    if certificates.is_empty() {
        return Err(problem(
            file,
            "holds no certificate: PEM with BEGIN CERTIFICATE is expected",
        ));
    }
    Ok(certificates)
}

impl TlsFiles {
    pub(super) fn read(&self) -> Result<Contents, TlsError> {
        Ok(Contents {
            cert: read(&self.cert)?,
            key: read(&self.key)?,
            ca: self.client_auth.as_ref().map(|auth| read(&auth.ca)).transpose()?,
        })
    }

    /// What the files make, for connections that speak one of these protocols.
    pub(super) fn build(
        &self,
        contents: &Contents,
        alpn: &[&[u8]],
        now: SystemTime,
    ) -> Result<Built, TlsError> {
        let chain = certificates(&self.cert, &contents.cert)?;
        let not_after = self.check_validity(&chain, now)?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|_| {
            problem(
                &self.key,
                "holds no private key that is not encrypted: PEM with BEGIN PRIVATE KEY is expected",
            )
        })?;
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| TlsError(format!("TLS cannot be set up: {error}")))?;
        let builder = match self.verifier(contents, provider)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| {
            let what = match error {
                rustls::Error::InconsistentKeys(_) => {
                    format!("does not belong to the certificate in {}", self.cert.display())
                }
                error => format!("cannot be used with the certificate: {error}"),
            };
            problem(&self.key, what)
        })?;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Built {
            config: Arc::new(config),
            not_after,
        })
    }

    /// Until when the server's own certificate is valid, which is the first.
    fn check_validity(
        &self,
        chain: &[CertificateDer<'static>],
        now: SystemTime,
    ) -> Result<SystemTime, TlsError> {
        let validities = chain
            .iter()
            .map(validity)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|what| problem(&self.cert, what))?;
        let Some(validity) = validities.first() else {
            return Err(problem(&self.cert, "holds no certificate"));
        };
        if validity.not_after < now {
            return Err(problem(
                &self.cert,
                "the certificate has expired: put a valid one in its place",
            ));
        }
        if validity.not_before > now {
            return Err(problem(
                &self.cert,
                "the certificate is not valid yet: wait, or set this machine's clock",
            ));
        }
        Ok(validity.not_after)
    }

    fn verifier(
        &self,
        contents: &Contents,
        provider: Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        let (Some(auth), Some(pem)) = (&self.client_auth, &contents.ca) else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&auth.ca, pem)? {
            roots
                .add(certificate)
                .map_err(|_| problem(&auth.ca, "holds something that is no X.509 certificate"))?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder = if auth.required {
            builder
        } else {
            builder.allow_unauthenticated()
        };
        let verifier = builder.build().map_err(|error| problem(&auth.ca, error))?;
        Ok(Some(verifier))
    }
}

impl Contents {
    /// The file of certificates.
    pub(super) fn cert(&self) -> &[u8] {
        &self.cert
    }

    /// What tells these contents from others.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        let parts = [Some(&self.cert), Some(&self.key), self.ca.as_ref()];
        for part in parts.into_iter().flatten() {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}
