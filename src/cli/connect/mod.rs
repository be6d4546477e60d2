//! How the commands that are clients reach a server: its address, one channel, calls that end, and a stream that comes
//! back after a break.

mod error;
#[cfg(test)]
pub(crate) mod fake;
mod follow;

use std::time::Duration;

use tonic::{
    Request,
    transport::{Channel, Endpoint},
};

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
    /// Tenant; not needed where the server has only one
    #[arg(long, value_name = "TENANT", default_value = "", hide_default_value = true)]
    pub(crate) tenant: String,
}

impl ServerArgs {
    /// The server that was named.
    pub(crate) fn server(&self) -> Result<Server, CliError> {
        Server::new(&self.server)
    }
}

/// An address that is well formed.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    url: String,
    endpoint: Endpoint,
}

impl Server {
    /// Reads an address such as `http://127.0.0.1:50051`. A bare `host:port` is taken as `http`.
    pub(crate) fn new(url: &str) -> Result<Self, CliError> {
        let url = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        if !url.starts_with("http://") {
            return Err(CliError::Argument(format!(
                "{url:?} cannot be used as the server: only http:// is spoken here, such as {DEFAULT_SERVER}"
            )));
        }
        let endpoint = Endpoint::from_shared(url.clone())
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
        Ok(Self { url, endpoint })
    }

    /// The address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Connects now, and fails with a sentence that says what to do.
    pub(crate) async fn connect(&self) -> Result<Channel, CliError> {
        self.endpoint
            .connect()
            .await
            .map_err(|error| CliError::unreachable(&self.url, &error))
    }

    /// A channel that connects with its first call.
    fn connect_lazily(&self) -> Channel {
        self.endpoint.connect_lazy()
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
    fn addresses_are_read(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(Server::new(given).unwrap().url(), expected);
    }

    #[rstest::rstest]
    #[case("https://example.com", "only http:// is spoken")]
    #[case("http://", "is not an address")]
    #[case("http://a b", "is not an address")]
    #[case("", "is not an address")]
    fn other_addresses_are_refused_with_a_sentence(#[case] given: &str, #[case] expected: &str) {
        let error = Server::new(given).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
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
