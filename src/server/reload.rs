//! Takes up changes of the configuration while the service runs.
//!
//! Files are read once a second and compared by content: Kubernetes swaps links, which no watch of a single file sees. What is wrong is
//! refused as a whole, and what held before goes on.

use std::{sync::Arc, time::Duration};

use tracing::{error, info, warn};

use super::tenants::Made;
use crate::{
    access::Access,
    chat_v2::SharedPolicy,
    config::{Config, Origin},
    grpc::events::Drain,
    tenant::Tenants,
};

/// Counter of changes that were looked at, by `result`: `taken` or `refused`.
const RELOADS: &str = "chatbridge_config_reloads_total";
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What can change.
pub(super) struct Reloader {
    pub(super) origin: Origin,
    pub(super) made: Made,
    pub(super) tenants: Tenants,
    pub(super) access: Access,
    /// Who may use Chat API v2.
    pub(super) clients: SharedPolicy,
    /// Through which open streams are told to look again.
    pub(super) streams: Arc<Drain>,
}

impl Reloader {
    /// Looks for changes. It never ends.
    pub(super) async fn run(mut self) {
        if self.origin.is_fixed() {
            return std::future::pending().await;
        }
        let mut seen = self.digest().await;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.digest().await;
            if now != seen {
                seen = now;
                self.take_up().await;
            }
        }
    }

    async fn digest(&self) -> Vec<u8> {
        let origin = self.origin.clone();
        tokio::task::spawn_blocking(move || origin.digest())
            .await
            .unwrap_or_default()
    }

    async fn take_up(&mut self) {
        let origin = self.origin.clone();
        let Ok(loaded) = tokio::task::spawn_blocking(move || origin.reload()).await else {
            return;
        };
        let result = match loaded {
            Ok(config) => self.apply(config),
            Err(problem) => {
                let problem = problem.0.join("; ");
                error!(
                    problem,
                    "the changed configuration is refused, and the one before goes on"
                );
                "refused"
            }
        };
        metrics::counter!(RELOADS, "result" => result).increment(1);
    }

    fn apply(&mut self, config: Config) -> &'static str {
        let made = match self.made.make(&config.tenants) {
            Ok(made) => made,
            Err(problem) => {
                error!(
                    %problem,
                    "the changed configuration is refused, and the one before goes on"
                );
                return "refused";
            }
        };
        // The port may be open to others, whatever the changed configuration says of its address.
        if config.policy.is_open() && !self.access.is_open() {
            error!(
                problem = "it names nobody who may call, and with that everybody could; restart the service if that is meant",
                "the changed configuration is refused, and the one before goes on"
            );
            return "refused";
        }
        if self.origin.needs_restart(&config.origin) {
            warn!("settings were changed that hold from the next start on; the others are taken up now");
        }
        self.made = made;
        self.tenants.replace(self.made.tenants());
        // After the tenants: streams that see another policy look at both.
        self.access.replace(config.policy);
        self.clients
            .replace(config.chat_v2.map(|it| it.policy).unwrap_or_default());
        self.streams.look_again();
        self.origin = config.origin;
        info!(
            tenants = self.tenants.ids().len(),
            "the changed configuration is taken up"
        );
        "taken"
    }
}
