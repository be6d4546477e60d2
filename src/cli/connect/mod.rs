//! How the commands that are clients reach a server: its address, one channel, calls that end, and a stream that comes
//! back after a break.

mod error;
#[cfg(test)]
pub(crate) mod fake;
mod follow;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tonic::{
    Request, Status,
    metadata::AsciiMetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use crate::tls::{self, install_provider};

pub(crate) use error::CliError;
pub(crate) use follow::{Follow, Followed, is_fatal_gap};

/// Where a server is looked for unless somebody says otherwise.
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take. The server's own deadline upstream is shorter, so that its answer says more than ours.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Which server to speak to, and as which tenant.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ServerArgs {
    /// Address of the server's gRPC listener
    #[arg(long, value_name = "URL", env = "CHATBRIDGE_SERVER", default_value = DEFAULT_SERVER)]
    pub(crate) server: String,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// File with the token to call with; the variable CHATBRIDGE_TOKEN may hold the token itself
    #[arg(long, value_name = "FILE", env = "CHATBRIDGE_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Tenant; not needed where the server has only one
    #[arg(long, value_name = "TENANT", default_value = "", hide_default_value = true)]
    pub(crate) tenant: String,
}

impl ServerArgs {
    /// The server that was named.
    pub(crate) fn server(&self) -> Result<Server, CliError> {
        let token = Token::read(self.token_file.as_deref(), std::env::var("CHATBRIDGE_TOKEN").ok())?;
        Ok(Server::with_tls(&self.server, &self.tls)?.with_token(token))
    }
}

/// Puts the token that somebody was given on each call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Token(Option<AsciiMetadataValue>);

impl Token {
    /// A token from a file, else from a variable; neither: calls go out without one.
    fn read(file: Option<&Path>, variable: Option<String>) -> Result<Self, CliError> {
        let text = match file {
            Some(file) => std::fs::read_to_string(file).map_err(|problem| {
                CliError::Argument(format!(
                    "the token file {} cannot be read: {problem}",
                    file.display()
                ))
            })?,
            None => variable.unwrap_or_default(),
        };
        let token = text.trim();
        if token.is_empty() {
            return Ok(Self::default());
        }
        let mut value: AsciiMetadataValue = format!("Bearer {token}").parse().map_err(|_| {
            // Not shown: it is a secret.
            CliError::Argument("the token has characters that no token has: check its file".to_owned())
        })?;
        value.set_sensitive(true);
        Ok(Self(Some(value)))
    }
}

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// How calls go out.
pub(crate) type Connection = InterceptedService<Channel, Token>;

/// How a server proves who it is, and we to it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct TlsArgs {
    /// PEM file with the authority that the server's certificate comes from, unless it is a well-known one
    #[arg(long, value_name = "FILE", env = "CHATBRIDGE_SERVER_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// PEM file with the certificate to show to the server
    #[arg(
        long,
        value_name = "FILE",
        env = "CHATBRIDGE_CLIENT_CERT_FILE",
        requires = "client_key_file"
    )]
    pub(crate) client_cert_file: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(
        long,
        value_name = "FILE",
        env = "CHATBRIDGE_CLIENT_KEY_FILE",
        requires = "client_cert_file"
    )]
    pub(crate) client_key_file: Option<PathBuf>,
}

impl TlsArgs {
    fn config(&self) -> Result<ClientTlsConfig, CliError> {
        install_provider();
        let read =
            |file: &PathBuf| tls::read(file).map_err(|problem| CliError::Argument(problem.to_string()));
        let mut config = match &self.ca_file {
            Some(file) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(file)?)),
            None => ClientTlsConfig::new().with_webpki_roots(),
        };
        if let (Some(cert), Some(key)) = (&self.client_cert_file, &self.client_key_file) {
            config = config.identity(Identity::from_pem(read(cert)?, read(key)?));
        }
        Ok(config)
    }

    fn is_any(&self) -> bool {
        self.ca_file.is_some() || self.client_cert_file.is_some()
    }
}

/// An address that is well formed.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    url: String,
    endpoint: Endpoint,
    token: Token,
}

impl Server {
    /// Reads an address such as `http://127.0.0.1:50051`. A bare `host:port` is taken as `http`.
    pub(crate) fn new(url: &str) -> Result<Self, CliError> {
        Self::with_tls(url, &TlsArgs::default())
    }

    /// The same, for one that may begin with `https`.
    pub(crate) fn with_tls(url: &str, tls: &TlsArgs) -> Result<Self, CliError> {
        let url = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let is_encrypted = url.starts_with("https://");
        if !is_encrypted && !url.starts_with("http://") {
            return Err(CliError::Argument(format!(
                "{url:?} cannot be used as the server: an address begins with http:// or https://, such as {DEFAULT_SERVER}"
            )));
        }
        if !is_encrypted && tls.is_any() {
            return Err(CliError::Argument(format!(
                "{url:?} does not begin with https://, so certificates are of no use: let it begin so, or leave them out"
            )));
        }
        let mut endpoint = Endpoint::from_shared(url.clone())
            .ok()
            .filter(|e| e.uri().host().is_some_and(|host| !host.is_empty()))
            .ok_or_else(|| {
                CliError::Argument(format!(
                    "{url:?} is not an address of a server: expected one such as {DEFAULT_SERVER}"
                ))
            })?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        if is_encrypted {
            endpoint = endpoint.tls_config(tls.config()?).map_err(|error| {
                CliError::Argument(format!("the files of certificates cannot be used: {error}"))
            })?;
        }
        Ok(Self {
            url,
            endpoint,
            token: Token::default(),
        })
    }

    /// The same for somebody who has a token.
    fn with_token(self, token: Token) -> Self {
        Self { token, ..self }
    }

    /// The address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Connects now, and fails with a sentence that says what to do.
    pub(crate) async fn connect(&self) -> Result<Connection, CliError> {
        let connected = self.endpoint.connect().await;
        connected
            .map(|channel| InterceptedService::new(channel, self.token.clone()))
            .map_err(|error| CliError::unreachable(&self.url, &error))
    }

    /// A channel that connects with its first call.
    fn connect_lazily(&self) -> Connection {
        InterceptedService::new(self.endpoint.connect_lazy(), self.token.clone())
    }
}

/// A request that ends in any case.
pub(crate) fn call<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_TIMEOUT);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("http://127.0.0.1:50051", "http://127.0.0.1:50051")]
    #[case("localhost:7", "http://localhost:7")]
    #[case("http://[::1]:50051/", "http://[::1]:50051/")]
    #[case("https://chat.example.com", "https://chat.example.com")]
    fn addresses_are_read(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(Server::new(given).unwrap().url(), expected);
    }

    #[rstest::rstest]
    #[case("ftp://example.com", "begins with http:// or https://")]
    #[case("http://", "is not an address")]
    #[case("http://a b", "is not an address")]
    #[case("", "is not an address")]
    fn other_addresses_are_refused_with_a_sentence(#[case] given: &str, #[case] expected: &str) {
        let error = Server::new(given).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn certificates_that_cannot_be_used_are_said_with_the_file() {
        let tls = TlsArgs {
            ca_file: Some("/nowhere/ca.pem".into()),
            ..TlsArgs::default()
        };
        let error = Server::with_tls("https://example.com", &tls)
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere/ca.pem: cannot be read"), "{error}");
        let error = Server::with_tls("http://example.com", &tls)
            .unwrap_err()
            .to_string();
        assert!(error.contains("does not begin with https://"), "{error}");
    }

    #[tokio::test]
    async fn nobody_listening_is_said_with_what_to_do() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let error = Server::new(&url)
            .unwrap()
            .connect()
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!("nothing listens at {url}: start `chatbridge dev`, or name another server with --server")
        );
    }
}
