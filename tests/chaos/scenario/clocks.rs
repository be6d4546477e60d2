//! Wall clocks that step while everything runs.

use std::time::Duration;

use super::{Promise, REDIS_TROUBLED, Scenario, Steps};
use crate::{
    redis::{Disk, Topology},
    world::World,
};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn scenarios() -> Vec<Scenario> {
    let promise = Promise {
        refused_within: None,
        ..REDIS_TROUBLED
    };
    let redis = Scenario {
        name: "clock-of-redis",
        about: "the clock of Redis steps 2 h ahead, then 2 h behind, then is right",
        topology: Topology::Standalone(Disk::Always),
        replicas: 2,
        settings: &[],
        clocks: true,
        short: false,
        promise,
        steps: of_redis,
    };
    let replica = Scenario {
        name: "clock-of-replica",
        about: "the clock of one replica steps 1 h ahead, then 1 h behind, then is right",
        promise: Promise {
            stale: true,
            ..promise
        },
        steps: of_replica,
        ..redis
    };
    vec![redis, replica]
}

fn of_redis(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        let (clock, _) = world.clocks.clone().ok_or("there are no clocks")?;
        world.run_for(2.0).await;
        world.fault_begins();
        clock.ahead(2 * HOUR)?;
        world.run_for(4.0).await;
        // That the step was one, by the server's own account.
        let stepped: Vec<String> = world.node()?.ask(&["TIME"]).await?;
        clock.behind(2 * HOUR)?;
        world.run_for(5.0).await;
        let back: Vec<String> = world.node()?.ask(&["TIME"]).await?;
        let second = |time: &[String]| time[0].parse::<u64>();
        if second(&stepped)? < second(&back)? + 3 * HOUR.as_secs() {
            return Err("the clock of Redis did not step".into());
        }
        clock.ahead(Duration::ZERO)?;
        world.fault_ends();
        world.run_for(3.0).await;
        Ok(())
    })
}

fn of_replica(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        let (_, clock) = world.clocks.clone().ok_or("there are no clocks")?;
        world.run_for(2.0).await;
        world.fault_begins();
        clock.ahead(HOUR)?;
        world.run_for(4.0).await;
        clock.behind(HOUR)?;
        world.run_for(4.0).await;
        clock.ahead(Duration::ZERO)?;
        world.fault_ends();
        world.run_for(3.0).await;
        // What was sent at the right time was refused by a clock that was wrong.
        let last = world.replicas.last().ok_or("there are no replicas")?;
        if last.metric(r#"chatbridge_webhooks_total{result="stale"#).await? < 1.0 {
            return Err("the clock of the replica did not step".into());
        }
        Ok(())
    })
}
