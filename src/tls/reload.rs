//! The configuration in force at a port, and its replacement when the files change.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::files::{Built, TlsError, TlsFiles};

/// Gauge, by `port`: until when the certificate in force is valid, Unix seconds.
const EXPIRY: &str = "chatbridge_tls_certificate_expiry_seconds";
/// Counter of changes of the files, by `port` and `result`: `loaded`, `refused`.
const RELOADS: &str = "chatbridge_tls_reloads_total";

/// How often one looks whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// TLS at a port.
pub struct Endpoint {
    port: &'static str,
    files: TlsFiles,
    alpn: &'static [&'static [u8]],
    current: RwLock<Arc<ServerConfig>>,
    last: Mutex<Last>,
}

/// How the last looks at the files went.
#[derive(Default)]
struct Last {
    /// Of the contents in force.
    loaded: [u8; 32],
    /// What was wrong at the last look, if anything.
    problem: Option<TlsError>,
    /// Whether that was told.
    told: bool,
}

impl Endpoint {
    /// TLS at the port of this name, with the certificate that the files hold now. `alpn` lists the protocols that are spoken
    /// there, the preferred one first.
    ///
    /// Fails where a file cannot be read or used, with a sentence that names it.
    pub fn load(
        port: &'static str,
        files: TlsFiles,
        alpn: &'static [&'static [u8]],
    ) -> Result<Arc<Self>, TlsError> {
        let contents = files.read()?;
        let built = files.build(&contents, alpn, SystemTime::now())?;
        note_expiry(port, built.not_after);
        Ok(Arc::new(Self {
            port,
            files,
            alpn,
            current: RwLock::new(built.config),
            last: Mutex::new(Last {
                loaded: contents.digest(),
                ..Last::default()
            }),
        }))
    }

    /// The configuration for a new connection.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The port's name, for metrics.
    pub fn port(&self) -> &'static str {
        self.port
    }

    /// Takes up what changes in the files, until `stop`. Connections that are open go on with what they began with.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(LOOK_EVERY))
            .await
            .is_some()
        {
            let endpoint = Arc::clone(&self);
            // It ends by a panic or not at all, and the configuration from before stays.
            tokio::task::spawn_blocking(move || endpoint.look(SystemTime::now()))
                .await
                .ok();
        }
    }

    /// Looks at the files, whose modification times say nothing: Kubernetes puts another directory under their names.
    fn look(&self, now: SystemTime) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = self.files.read().and_then(|contents| {
            let digest = contents.digest();
            if digest == last.loaded {
                return Ok(None);
            }
            let built = self.files.build(&contents, self.alpn, now)?;
            Ok(Some((digest, built)))
        });
        match looked {
            Ok(None) => last.problem = None,
            Ok(Some((digest, built))) => {
                self.take_over(built);
                *last = Last {
                    loaded: digest,
                    ..Last::default()
                };
            }
            Err(problem) => self.refuse(&mut last, problem),
        }
    }

    fn take_over(&self, built: Built) {
        note_expiry(self.port, built.not_after);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = built.config;
        metrics::counter!(RELOADS, "port" => self.port, "result" => "loaded").increment(1);
        info!(port = self.port, "another certificate is in force");
    }

    /// Whoever writes two files is between them for a moment, so only what is as bad at a second look is told, and once.
    fn refuse(&self, last: &mut Last, problem: TlsError) {
        if last.problem.as_ref() != Some(&problem) {
            last.problem = Some(problem);
            last.told = false;
            return;
        }
        if !last.told {
            last.told = true;
            metrics::counter!(RELOADS, "port" => self.port, "result" => "refused").increment(1);
            warn!(
                port = self.port,
                %problem, "the new certificate is not taken; the one from before stays in force"
            );
        }
    }
}

fn note_expiry(port: &'static str, not_after: SystemTime) {
    let seconds = not_after.duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!(EXPIRY, "port" => port).set(seconds.as_secs_f64());
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("port", &self.port)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
