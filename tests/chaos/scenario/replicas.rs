//! Replicas that die, and replicas that are replaced in order.

use std::time::Duration;

use rand::RngExt as _;

use super::{Promise, REPLICAS_TROUBLED, Scenario, Steps};
use crate::{
    redis::{Disk, Topology},
    world::World,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let killed = Scenario {
        name: "replica-killed",
        about: "SIGKILL of one replica after another, each started again",
        topology: Topology::Standalone(Disk::Always),
        replicas: 3,
        settings: &[],
        clocks: false,
        short: true,
        promise: REPLICAS_TROUBLED,
        steps: kill,
    };
    let drained = Scenario {
        name: "replica-drained",
        about: "SIGTERM of one replica after another, each started again",
        settings: &[("drain_spread_ms", "500")],
        short: false,
        promise: Promise {
            back_within: Duration::from_secs(4),
            ..REPLICAS_TROUBLED
        },
        steps: drain,
        ..killed
    };
    vec![killed, drained]
}

fn kill(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(1.0).await;
        for _ in 0..world.times(6, 3) {
            let victim = world.dice.random_range(0..world.replicas.len());
            world.fault_begins();
            world.replicas[victim].kill();
            world.run_for(0.7).await;
            world.replicas[victim].start().await?;
            world.fault_ends();
            world.run_for(1.0).await;
        }
        Ok(())
    })
}

fn drain(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(1.0).await;
        for victim in 0..world.replicas.len() {
            world.fault_begins();
            world.replicas[victim].terminate().await?;
            world.replicas[victim].start().await?;
            world.fault_ends();
            world.run_for(2.0).await;
        }
        Ok(())
    })
}
