//! Where to connect to, and how.

use std::{net::SocketAddr, time::Duration};

use http::uri::Authority;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::Error;

/// A message may have 16 MiB, of which this much is read ahead of who asks for it. It bounds what a stream holds that nobody reads.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// Streams that nobody reads must not keep calls over the same connection waiting. The memory is bounded by each stream's window.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024 * 1024;
/// The largest frame that the server may send: a piece of a file, with what goes before it. With HTTP/2's own 16 KiB, it comes in
/// sixteen.
const FRAME_BYTES: u32 = 256 * 1024 + 1024;

/// For how long a connection may take to be made, and again for its TLS.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) authority: Authority,
    /// Whether the target itself says; `None`: it does not.
    cleartext: Option<bool>,
    /// Whether to balance over all addresses of the name.
    pub(crate) look_up: bool,
}

impl Target {
    /// Reads `HOST:PORT`, `http://HOST:PORT`, `https://HOST:PORT` or `dns:///HOST:PORT`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let (cleartext, look_up, rest) = if let Some(rest) = text.strip_prefix("http://") {
            (Some(true), false, rest)
        } else if let Some(rest) = text.strip_prefix("https://") {
            (Some(false), false, rest)
        } else if let Some(rest) = text.strip_prefix("dns:///") {
            (None, true, rest)
        } else {
            (None, false, text)
        };
        let wrong = || {
            Error::Usage(format!(
                "the target {text:?} is not HOST:PORT, http://HOST:PORT, https://HOST:PORT or dns:///HOST:PORT"
            ))
        };
        let authority: Authority = rest
            .strip_suffix('/')
            .unwrap_or(rest)
            .parse()
            .map_err(|_| wrong())?;
        if authority.host().is_empty() || authority.port_u16().is_none() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        Ok(Self {
            authority,
            cleartext,
            look_up,
        })
    }
}

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) cleartext: bool,
    pub(crate) authorities: Option<Certificate>,
    pub(crate) identity: Option<Identity>,
    pub(crate) keepalive: Duration,
    pub(crate) keepalive_answer: Duration,
}

impl Link {
    pub(super) fn endpoint(&self, target: &Target, address: Option<SocketAddr>) -> Result<Endpoint, Error> {
        let cleartext = target.cleartext.unwrap_or(self.cleartext);
        let scheme = if cleartext { "http" } else { "https" };
        let at = address.map_or_else(|| target.authority.to_string(), |address| address.to_string());
        let usage = |error: &dyn std::fmt::Display| Error::Usage(format!("{}: {error}", target.authority));
        let origin = format!("{scheme}://{}", target.authority)
            .parse()
            .map_err(|error| usage(&error))?;
        let endpoint = Endpoint::from_shared(format!("{scheme}://{at}"))
            .and_then(|endpoint| endpoint.user_agent(concat!("chatbridge-rust/", env!("CARGO_PKG_VERSION"))))
            .map_err(|error| usage(&error))?
            .origin(origin)
            // A channel whose connection was closed makes another by itself.
            .connect_timeout(CONNECT_WITHIN)
            .http2_keep_alive_interval(self.keepalive)
            .keep_alive_timeout(self.keepalive_answer)
            .keep_alive_while_idle(false)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES);
        if cleartext {
            return Ok(endpoint);
        }
        endpoint
            .tls_config(self.tls(target))
            .map_err(|error| usage(&error))
    }

    fn tls(&self, target: &Target) -> ClientTlsConfig {
        let host = target
            .authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let tls = ClientTlsConfig::new().domain_name(host).timeout(CONNECT_WITHIN);
        let tls = match &self.authorities {
            Some(authorities) => tls.ca_certificate(authorities.clone()),
            None => tls.with_native_roots(),
        };
        match &self.identity {
            Some(identity) => tls.identity(identity.clone()),
            None => tls,
        }
    }
}
