//! One Redis server: it crashes, falls silent, is full, or takes no writes.

use std::time::Duration;

use super::{Lost, Promise, REDIS_TROUBLED, Scenario, Steps};
use crate::{
    link::Weather,
    process::PATIENCE,
    redis::{Disk, Topology},
    world::World,
};

const CRASH: Scenario = Scenario {
    name: "redis-crash-always",
    about: "SIGKILL of Redis, started again after 3 s; appendfsync always",
    topology: Topology::Standalone(Disk::Always),
    replicas: 2,
    settings: &[],
    clocks: false,
    short: true,
    promise: REDIS_TROUBLED,
    steps: crash,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let full = Scenario {
        short: false,
        ..CRASH
    };
    vec![
        CRASH,
        Scenario {
            name: "redis-crash-everysec",
            about: "SIGKILL of Redis, started again after 3 s; appendfsync everysec",
            topology: Topology::Standalone(Disk::EverySecond),
            promise: Promise {
                lost: Lost::Measured,
                ..REDIS_TROUBLED
            },
            ..full
        },
        Scenario {
            name: "redis-crash-nothing",
            about: "SIGKILL of Redis, which keeps nothing on disk: it comes back empty",
            topology: Topology::Standalone(Disk::Nothing),
            promise: Promise {
                lost: Lost::Told,
                // Every stream reads all partitions anew.
                back_within: Duration::from_secs(10),
                ..REDIS_TROUBLED
            },
            ..full
        },
        Scenario {
            name: "redis-cut",
            about: "every connection to Redis is reset, new ones too, three times",
            short: true,
            steps: cut,
            ..CRASH
        },
        Scenario {
            name: "redis-dark",
            about: "the network to Redis passes nothing for 20 s, in the short form for 6 s, without a reset",
            short: true,
            steps: dark,
            ..CRASH
        },
        Scenario {
            name: "redis-frozen",
            about: "Redis is stopped for 8 s (SIGSTOP) and goes on",
            steps: freeze,
            ..full
        },
        Scenario {
            name: "redis-slow",
            about: "150 ms more and 200 kB/s in each direction to Redis, for 10 s",
            promise: Promise {
                refused_within: None,
                ..REDIS_TROUBLED
            },
            steps: slow,
            ..full
        },
        Scenario {
            name: "redis-dark-to-one",
            about: "one of two replicas has no way to Redis for 10 s",
            steps: dark_to_one,
            ..full
        },
        Scenario {
            name: "redis-full",
            about: "maxmemory is reached for 4 s",
            short: true,
            steps: fill,
            ..CRASH
        },
        Scenario {
            name: "redis-read-only",
            about: "the server is made a replica of nobody's for 4 s, and so takes no writes",
            steps: read_only,
            ..full
        },
    ]
}

fn crash(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        for _ in 0..world.times(3, 1) {
            world.fault_begins();
            world.node()?.kill();
            world.run_for(3.0).await;
            let node = world.node()?;
            node.start(&[])?;
            node.answers(PATIENCE).await?;
            world.fault_ends();
            // Streams are back before the next crash.
            world.run_for(world.seconds(4.0, 2.5)).await;
        }
        Ok(())
    })
}

fn cut(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(1.0).await;
        for seconds in [0.05, 1.0, 2.0] {
            world.fault_begins();
            world.redis_weather(Weather::Cut);
            world.run_for(seconds).await;
            world.redis_weather(Weather::Clear);
            world.fault_ends();
            world.run_for(1.5).await;
        }
        Ok(())
    })
}

fn dark(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        world.redis_weather(Weather::Dark);
        world.run_for(world.seconds(20.0, 6.0)).await;
        world.redis_weather(Weather::Clear);
        world.fault_ends();
        world.run_for(2.5).await;
        Ok(())
    })
}

fn freeze(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        world.node()?.pause()?;
        world.run_for(8.0).await;
        world.node()?.resume()?;
        world.fault_ends();
        world.run_for(2.5).await;
        Ok(())
    })
}

fn slow(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        world.redis_weather(Weather::Slow {
            latency: Duration::from_millis(150),
            bytes_per_s: 200_000,
        });
        world.run_for(10.0).await;
        world.redis_weather(Weather::Clear);
        world.fault_ends();
        world.run_for(2.5).await;
        Ok(())
    })
}

fn dark_to_one(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        world.redis_weather_of(0, Weather::Dark);
        world.run_for(10.0).await;
        world.redis_weather_of(0, Weather::Clear);
        world.fault_ends();
        world.run_for(2.5).await;
        Ok(())
    })
}

fn fill(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        let node = world.node()?;
        let () = node
            .ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
            .await?;
        // What is there already is more.
        let () = node.ask(&["CONFIG", "SET", "maxmemory", "1000000"]).await?;
        world.run_for(4.0).await;
        let () = world.node()?.ask(&["CONFIG", "SET", "maxmemory", "0"]).await?;
        world.fault_ends();
        world.run_for(2.5).await;
        Ok(())
    })
}

fn read_only(world: &mut World) -> Steps<'_> {
    Box::pin(async move {
        world.run_for(2.0).await;
        world.fault_begins();
        let () = world.node()?.ask(&["REPLICAOF", "127.0.0.1", "9"]).await?;
        world.run_for(4.0).await;
        let () = world.node()?.ask(&["REPLICAOF", "NO", "ONE"]).await?;
        world.fault_ends();
        world.run_for(2.5).await;
        Ok(())
    })
}
