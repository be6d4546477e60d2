//! The numbers by which the chart has pods started, probed and stopped: read from its own values, so that what is tried here is what
//! is deployed.

use std::{path::Path, time::Duration};

use serde::Deserialize;

use crate::Result;

/// The values that matter here, by the chart's names.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Values {
    pub replica_count: usize,
    update_strategy: UpdateStrategy,
    min_ready_seconds: u64,
    shutdown: Shutdown,
    pub probes: Probes,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateStrategy {
    max_surge: usize,
    max_unavailable: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shutdown {
    pre_stop_sleep_seconds: u64,
    drain_spread_ms: u64,
    drain_deadline_ms: u64,
    margin_seconds: u64,
    termination_grace_period_seconds: u64,
}

/// The three probes of a pod.
#[derive(Debug, Clone, Deserialize)]
pub struct Probes {
    pub startup: Probe,
    pub readiness: Probe,
    pub liveness: Probe,
}

/// How a probe is made.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    period_seconds: u64,
    timeout_seconds: u64,
    pub failure_threshold: u32,
}

impl Probe {
    pub fn period(&self) -> Duration {
        Duration::from_secs(self.period_seconds)
    }

    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

impl Values {
    /// Reads the chart's values.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: the chart's values cannot be read: {error}", path.display()))?;
        let values: Self = serde_saphyr::from_str(&text)
            .map_err(|error| format!("{}: not the chart's values: {error}", path.display()))?;
        let strategy = &values.update_strategy;
        if (strategy.max_surge, strategy.max_unavailable) != (1, 0) {
            return Err("only a rollout with maxSurge 1 and maxUnavailable 0 is known here".into());
        }
        Ok(values)
    }

    /// How long a new pod must be ready before the next old one goes.
    pub fn min_ready(&self) -> Duration {
        Duration::from_secs(self.min_ready_seconds)
    }

    /// How long nothing happens after a pod was told to go.
    pub fn pre_stop(&self) -> Duration {
        Duration::from_secs(self.shutdown.pre_stop_sleep_seconds)
    }

    /// After which time a pod that was told to go is killed, `pre_stop` included.
    pub fn grace(&self) -> Duration {
        let Shutdown {
            drain_deadline_ms,
            margin_seconds,
            termination_grace_period_seconds: set,
            ..
        } = self.shutdown;
        if set > 0 {
            return Duration::from_secs(set);
        }
        let drained = Duration::from_secs(drain_deadline_ms.div_ceil(1000));
        self.pre_stop() + drained + Duration::from_secs(margin_seconds)
    }

    /// After which time whoever sends connections to a pod has heard that it goes: nearly all of what the chart allows for.
    pub fn heard_after(&self) -> Duration {
        self.pre_stop().mul_f64(0.8)
    }

    /// The settings of the service that the chart makes of `shutdown`.
    pub fn settings(&self) -> [(&'static str, String); 2] {
        [
            ("DRAIN_SPREAD_MS", self.shutdown.drain_spread_ms.to_string()),
            ("DRAIN_DEADLINE_MS", self.shutdown.drain_deadline_ms.to_string()),
        ]
    }
}
