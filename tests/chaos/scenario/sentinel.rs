//! A master with two replicas and three Sentinels: fail-over, and a master that is alone with its clients.

use std::time::Duration;

use super::{Lost, Promise, REDIS_TROUBLED, Scenario, Steps};
use crate::{
    process::PATIENCE,
    redis::{Sentinels, Topology},
    world::World,
};

/// How far the replicas are behind, so that there is something to lose.
const LAG: Duration = Duration::from_millis(200);

/// A fail-over takes the Sentinels' 1.5 s and an election.
const TAKES_OVER_WITHIN: Duration = Duration::from_secs(20);

const WAIT: &[(&str, &str)] = &[("redis_wait_replicas", "2"), ("redis_wait_ms", "500")];

pub(super) fn scenarios() -> Vec<Scenario> {
    let promise = Promise {
        // The others have to be asked, and where a log went back every stream reads all partitions anew.
        back_within: Duration::from_secs(12),
        ..REDIS_TROUBLED
    };
    let measured = Promise {
        lost: Lost::Measured,
        ..promise
    };
    let failover = Scenario {
        name: "sentinel-failover",
        about: "the master's machine is lost, replicas 200 ms behind; without WAIT",
        topology: Topology::Sentinel { guarded: false },
        replicas: 2,
        settings: &[],
        clocks: false,
        short: false,
        promise: measured,
        steps: failover,
    };
    let split = Scenario {
        name: "sentinel-split",
        about: "replicas and Sentinels lose the master, its clients do not; without WAIT",
        promise: Promise {
            // Until the service follows the Sentinels, the old master takes writes.
            refused_within: None,
            ..measured
        },
        steps: split,
        ..failover
    };
    let guarded = |about, scenario: Scenario| Scenario {
        about,
        topology: Topology::Sentinel { guarded: true },
        settings: WAIT,
        promise: Promise {
            rewinds: true,
            ..promise
        },
        ..scenario
    };
    let failover_wait = Scenario {
        name: "sentinel-failover-wait",
        ..guarded(
            "the master's machine is lost, replicas 200 ms behind; WAIT on both and min-replicas-to-write 2",
            failover,
        )
    };
    let split_wait = Scenario {
        name: "sentinel-split-wait",
        ..guarded(
            "replicas and Sentinels lose the master, its clients do not; WAIT on both replicas and min-replicas-to-write 2",
            split,
        )
    };
    vec![failover, failover_wait, split, split_wait]
}

fn lag(sentinels: &Sentinels) {
    for node in &sentinels.nodes {
        node.link.lag_replication(LAG);
    }
}

fn failover(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        lag(world.redis.sentinels()?);
        world.run_for(3.0).await;
        world.fault_begins();
        let sentinels = world.redis.sentinels()?;
        let old = sentinels.replicated(PATIENCE).await?;
        let guarded = sentinels.guarded;
        sentinels.nodes[old].lose();
        sentinels.another_master(old, TAKES_OVER_WITHIN).await?;
        if !guarded {
            world.fault_ends();
        }
        world.run_for(1.0).await;
        // It comes back, and is made a replica.
        let sentinels = world.redis.sentinels()?;
        sentinels.nodes[old].bring_back()?;
        sentinels.nodes[old].answers(PATIENCE).await?;
        sentinels.replicated(TAKES_OVER_WITHIN).await?;
        // A master that asks for two replicas takes nothing before it has them.
        world.fault_ends();
        world.run_for(3.0).await;
        Ok(())
    })
}

fn split(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        lag(world.redis.sentinels()?);
        world.run_for(3.0).await;
        world.fault_begins();
        let sentinels = world.redis.sentinels()?;
        let old = sentinels.replicated(PATIENCE).await?;
        let guarded = sentinels.guarded;
        sentinels.nodes[old].link.part_from_peers(true);
        sentinels.another_master(old, TAKES_OVER_WITHIN).await?;
        if !guarded {
            world.fault_ends();
        }
        world.run_for(3.0).await;
        let sentinels = world.redis.sentinels()?;
        sentinels.nodes[old].link.part_from_peers(false);
        sentinels.replicated(PATIENCE).await?;
        world.fault_ends();
        world.run_for(3.0).await;
        Ok(())
    })
}
