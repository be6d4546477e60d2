//! The network between the replicas and those who call them.

use std::time::Duration;

use super::{Promise, REPLICAS_TROUBLED, Scenario, Steps};
use crate::{
    link::Weather,
    redis::{Disk, Topology},
    world::World,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let cut = Scenario {
        name: "clients-cut",
        about: "every connection of vendor and subscribers is reset, six times",
        topology: Topology::Standalone(Disk::Always),
        replicas: 2,
        settings: &[],
        clocks: false,
        short: false,
        promise: REPLICAS_TROUBLED,
        steps: cut,
    };
    // A client finds out that its stream is dead by the missing heartbeats, and the vendor by its own patience.
    let silent = Promise {
        silence: Duration::from_secs(8),
        back_within: Duration::from_secs(12),
        ..REPLICAS_TROUBLED
    };
    let dark = Scenario {
        name: "clients-dark",
        about: "nothing passes between callers and replicas for 8 s, without a reset",
        promise: silent,
        steps: dark,
        ..cut
    };
    let slow = Scenario {
        name: "clients-slow",
        about: "200 ms more and 30 kB/s in each direction to every caller, for 8 s",
        promise: silent,
        steps: slow,
        ..cut
    };
    vec![cut, dark, slow]
}

fn cut(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(1.0).await;
        for seconds in [0.05, 0.5, 0.05, 1.5, 0.05, 0.5] {
            world.fault_begins();
            world.client_weather(Weather::Cut);
            world.run_for(seconds).await;
            world.client_weather(Weather::Clear);
            world.fault_ends();
            world.run_for(1.0).await;
        }
        Ok(())
    })
}

fn dark(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        world.client_weather(Weather::Dark);
        world.run_for(8.0).await;
        world.client_weather(Weather::Clear);
        world.fault_ends();
        world.run_for(2.5).await;
        Ok(())
    })
}

fn slow(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        world.client_weather(Weather::Slow {
            latency: Duration::from_millis(200),
            bytes_per_s: 30_000,
        });
        world.run_for(8.0).await;
        world.client_weather(Weather::Clear);
        world.fault_ends();
        world.run_for(2.5).await;
        Ok(())
    })
}
