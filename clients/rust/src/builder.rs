use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::transport::{Certificate, Identity};

use crate::{
    Backoff, BoxError, Client, Error,
    connection::{Link, Pool, Target},
    token::Token,
};

/// How a client connects, who it is and how long it waits.
pub struct ClientBuilder {
    targets: Vec<String>,
    link: Link,
    reconnect: Backoff,
    settings: Settings,
}

/// What calls and streams need to know.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) tenant: String,
    pub(crate) token: Option<Token>,
    pub(crate) timeout: Duration,
    pub(crate) transfer_timeout: Duration,
    pub(crate) attempts: u32,
    pub(crate) retry: Backoff,
    pub(crate) message_bytes_max: usize,
    pub(crate) streams: StreamTimes,
}

/// When a stream gives a connection up, and when it comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamTimes {
    pub(crate) backoff: Backoff,
    pub(crate) stable_after: Duration,
    pub(crate) first_within: Duration,
    pub(crate) silence_max: Duration,
}

impl ClientBuilder {
    /// A client of a target: `HOST:PORT` (TLS, unless [`cleartext`](Self::cleartext) is asked for), `http://HOST:PORT` (cleartext),
    /// `https://HOST:PORT` (TLS), or `dns:///HOST:PORT`.
    ///
    /// With `dns:///` the client connects to each address of the name, as of a headless service, and calls take turns. The name is
    /// looked up again every 30 s while there are calls, and after a second where an address does not answer.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            targets: vec![target.into()],
            link: Link {
                cleartext: false,
                authorities: None,
                identity: None,
                keepalive: Duration::from_secs(30),
                keepalive_answer: Duration::from_secs(10),
            },
            reconnect: Backoff::from_millis(200, 5_000),
            settings: Settings {
                tenant: String::new(),
                token: None,
                timeout: Duration::from_secs(15),
                transfer_timeout: Duration::from_secs(600),
                attempts: 4,
                retry: Backoff::from_millis(100, 2_000),
                message_bytes_max: 16 * 1024 * 1024,
                streams: StreamTimes {
                    backoff: Backoff::from_millis(200, 10_000),
                    stable_after: Duration::from_secs(5),
                    first_within: Duration::from_secs(10),
                    silence_max: Duration::from_secs(40),
                },
            },
        }
    }

    /// One more target: calls take turns among all.
    #[must_use]
    pub fn also(mut self, target: impl Into<String>) -> Self {
        self.targets.push(target.into());
        self
    }

    /// The tenant of each request that names none. Needed only where the caller may use several.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.settings.tenant = tenant.into();
        self
    }

    /// The token that the operator gave.
    #[must_use]
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.settings.token = Some(Token::Text(token.into()));
        self
    }

    /// A function that gives the token that is good now. It is asked before each attempt of a call and each time that a stream connects,
    /// so it should remember.
    #[must_use]
    pub fn token_function<F, T>(mut self, function: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        self.settings.token = Some(Token::function(function));
        self
    }

    /// Encrypts nothing, the token neither, where the target does not say otherwise.
    #[must_use]
    pub fn cleartext(mut self) -> Self {
        self.link.cleartext = true;
        self
    }

    /// Trusts these authorities (PEM) in place of the system's.
    #[must_use]
    pub fn authorities(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.link.authorities = Some(Certificate::from_pem(pem));
        self
    }

    /// The client's own certificate with its chain, and its key (PEM).
    #[must_use]
    pub fn certificate(mut self, chain_pem: impl AsRef<[u8]>, key_pem: impl AsRef<[u8]>) -> Self {
        self.link.identity = Some(Identity::from_pem(chain_pem, key_pem));
        self
    }

    /// The deadline of each call, over all its attempts: 15 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// The deadline of each call that carries a file: 600 s.
    #[must_use]
    pub fn transfer_timeout(mut self, timeout: Duration) -> Self {
        self.settings.transfer_timeout = timeout;
        self
    }

    /// How often a call is attempted at the most, and how long to wait in between: 4 times, 0.1 s to 2 s. With 1 there is no repeat.
    #[must_use]
    pub fn attempts(mut self, attempts: u32, between: Backoff) -> Self {
        self.settings.attempts = attempts;
        self.settings.retry = between;
        self
    }

    /// How long to leave an address alone that cannot be connected to: 0.2 s to 5 s. Calls fail at once meanwhile, unless there is
    /// another address.
    #[must_use]
    pub fn reconnect(mut self, backoff: Backoff) -> Self {
        self.reconnect = backoff;
        self
    }

    /// After which silence a connection with something under way is asked for a sign of life, and within which time it has to
    /// answer: 30 s, 10 s.
    #[must_use]
    pub fn keepalive(mut self, silence: Duration, answer: Duration) -> Self {
        self.link.keepalive = silence;
        self.link.keepalive_answer = answer;
        self
    }

    /// The largest message that is accepted, in bytes: 16 MiB.
    #[must_use]
    pub fn message_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.message_bytes_max = bytes;
        self
    }

    /// How long streams wait before they connect again: 0.2 s to 10 s, beginning anew once a connection held for `stable_after`, 5 s.
    #[must_use]
    pub fn stream_backoff(mut self, backoff: Backoff, stable_after: Duration) -> Self {
        self.settings.streams.backoff = backoff;
        self.settings.streams.stable_after = stable_after;
        self
    }

    /// When a stream gives its connection up: where nothing came within `first` after it was opened, 10 s; or in a silence of
    /// `later`, 40 s, as long as no heartbeat told its interval, of which it is then twice as much.
    #[must_use]
    pub fn stream_silence(mut self, first: Duration, later: Duration) -> Self {
        self.settings.streams.first_within = first;
        self.settings.streams.silence_max = later;
        self
    }

    /// Connects. Fails where the service is not reached within the deadline of a call; [`connect_lazy`](Self::connect_lazy) does not.
    pub async fn connect(self) -> Result<Client, Error> {
        let client = self.connect_lazy()?;
        match tokio::time::timeout(client.timeout(), client.pick()).await {
            Ok(picked) => picked.map(|_| client),
            Err(_) => Err(Error::unavailable("the service was not reached in time")),
        }
    }

    /// A client that connects when it first needs to. Fails where a target or a certificate cannot be read.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let targets: Vec<Target> = self
            .targets
            .iter()
            .map(|target| Target::parse(target))
            .collect::<Result<_, _>>()?;
        let (closed, tasks) = (CancellationToken::new(), TaskTracker::new());
        let pool = Pool::new(targets, self.link, self.reconnect, closed.clone(), tasks.clone())?;
        Ok(Client::new(self.settings, Arc::new(pool), closed, tasks))
    }
}
