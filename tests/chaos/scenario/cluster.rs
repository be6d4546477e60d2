//! A cluster of six: a master dies, or cannot be reached.

use std::time::Duration;

use super::{Lost, Promise, REDIS_TROUBLED, Scenario, Steps};
use crate::{link::Weather, process::PATIENCE, redis::Topology, world::World};

/// How far the replicas are behind, so that there is something to lose.
const LAG: Duration = Duration::from_millis(200);

const TAKES_OVER_WITHIN: Duration = Duration::from_secs(20);

pub(super) fn scenarios() -> Vec<Scenario> {
    let promise = Promise {
        // The others have to be asked, and where a log went back every stream reads all partitions anew.
        back_within: Duration::from_secs(12),
        ..REDIS_TROUBLED
    };
    let lost = Scenario {
        name: "cluster-node-lost",
        about: "the machine of one of three masters is lost, replicas 200 ms behind; without WAIT",
        topology: Topology::Cluster { guarded: false },
        replicas: 2,
        settings: &[],
        clocks: false,
        short: false,
        promise: Promise {
            lost: Lost::Measured,
            ..promise
        },
        steps: lose,
    };
    let wait = Scenario {
        name: "cluster-node-lost-wait",
        about: "the machine of one of three masters is lost, replicas 200 ms behind; WAIT and min-replicas-to-write 1",
        topology: Topology::Cluster { guarded: true },
        settings: &[("redis_wait_replicas", "1"), ("redis_wait_ms", "500")],
        promise: Promise {
            rewinds: true,
            ..promise
        },
        ..lost
    };
    let dark = Scenario {
        name: "cluster-node-dark",
        about: "nothing passes between one master and its clients for 10 s, while the cluster thinks it well",
        promise,
        steps: dark,
        ..lost
    };
    vec![lost, wait, dark]
}

fn lose(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        for node in &world.redis.cluster()?.nodes {
            node.link.lag_replication(LAG);
        }
        world.run_for(3.0).await;
        world.fault_begins();
        let cluster = world.redis.cluster()?;
        cluster.nodes[0].lose();
        let guarded = cluster.guarded;
        cluster.becomes_master(3, TAKES_OVER_WITHIN).await?;
        if !guarded {
            world.fault_ends();
        }
        world.run_for(1.0).await;
        let cluster = world.redis.cluster()?;
        cluster.nodes[0].bring_back()?;
        cluster.nodes[0].answers(PATIENCE).await?;
        cluster.whole(PATIENCE).await?;
        // A master that asks for a replica takes nothing before it has one.
        world.fault_ends();
        world.run_for(3.0).await;
        Ok(())
    })
}

fn dark(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        world.redis.cluster()?.nodes[1].link.set(Weather::Dark);
        world.run_for(10.0).await;
        world.redis.cluster()?.nodes[1].link.set(Weather::Clear);
        world.fault_ends();
        world.run_for(3.0).await;
        Ok(())
    })
}
