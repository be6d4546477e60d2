//! What can happen, and what is promised then.

mod clients;
mod clocks;
mod cluster;
mod replicas;
mod sentinel;
mod standalone;

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use crate::{Result, redis::Topology, world::World};

/// What may become of events that were answered 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// None is lost.
    Never,
    /// Redis keeps nothing: they may be gone, and whoever had read them is told.
    Told,
    /// Redis may lose the newest: how many is measured.
    Measured,
}

impl Lost {
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "none lost",
            Self::Told => "loss told",
            Self::Measured => "measured",
        }
    }
}

/// What is promised.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    pub lost: Lost,
    /// Streams may have shown events that were not answered 2xx yet and are then taken back: a gap tells so, and they come
    /// again.
    pub rewinds: bool,
    /// In a fault, webhooks are refused, and with 503 within so long.
    pub refused_within: Option<Duration>,
    /// So long after the last fault everything is back by itself.
    pub back_within: Duration,
    /// No open stream is silent for longer, so heartbeats go on.
    pub silence: Duration,
    /// Streams stay open all the time.
    pub streams_hold: bool,
    /// Connections to the replicas may break, or fall silent.
    pub doors_break: bool,
    /// A replica may answer 401, since its clock is wrong.
    pub stale: bool,
}

/// When only Redis is troubled, streams stay open, heartbeats go on, and nothing is lost.
pub const REDIS_TROUBLED: Promise = Promise {
    lost: Lost::Never,
    rewinds: false,
    // As docs/delivery.md promises.
    refused_within: Some(Duration::from_secs(3)),
    back_within: Duration::from_secs(5),
    silence: Duration::from_millis(3500),
    streams_hold: true,
    doors_break: false,
    stale: false,
};

/// When replicas or the way to them are troubled, streams break, and nothing is lost.
pub const REPLICAS_TROUBLED: Promise = Promise {
    refused_within: None,
    streams_hold: false,
    doors_break: true,
    ..REDIS_TROUBLED
};

/// What a scenario does, in time.
pub type Steps<'a> = LocalBoxFuture<'a, Result<()>>;

/// A fault, and what is promised while it lasts and afterwards.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    /// What happens, for the report.
    pub about: &'static str,
    pub topology: Topology,
    pub replicas: usize,
    /// Settings of the service beyond those of all scenarios.
    pub settings: &'static [(&'static str, &'static str)],
    /// Whether Redis and the last replica have clocks that can be stepped.
    pub clocks: bool,
    /// Whether it is part of the short form.
    pub short: bool,
    pub promise: Promise,
    pub steps: for<'a> fn(&'a mut World) -> Steps<'a>,
}

/// All of them. Where time runs out, it is not Sentinel and Cluster that go without: they have the most to lose.
pub fn all() -> Vec<Scenario> {
    let mut all = sentinel::scenarios();
    all.extend(cluster::scenarios());
    all.extend(standalone::scenarios());
    all.extend(replicas::scenarios());
    all.extend(clients::scenarios());
    all.extend(clocks::scenarios());
    all
}
