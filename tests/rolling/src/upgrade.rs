//! Upgrade and rollback between two formats of entries, forth and back, under load.

use crate::{
    Result,
    options::Options,
    pod,
    streams::{self, Got, Reader},
    world::World,
};

/// The format that only the next program reads.
const NEXT: &str = "2";
const NOW: &str = "1";

/// Forth, back, and forth again; answers a stream that was away while the format changed, which the older program had to hold.
pub async fn forth_and_back(world: &mut World, options: &Options) -> Result<Reader> {
    let (old, next) = (&options.program, &options.next);
    // Half-way, a pod runs that does not read the next format: nobody may have it written.
    let half = upgrade(world, options).await?;
    expect(
        !half.0 && half.1.contains("nothing was changed"),
        "half-way",
        &half.1,
    )?;

    let client = streams::client(world.balancer)?;
    let away = Reader::open(
        &client,
        world.conversations.clone(),
        streams::earliest(),
        false,
        Got::default(),
    );
    world.run_for(3).await;
    let away = away.close();
    let (own, cursor) = (world.conversations.clone(), away.cursor.clone());

    raise(world, next).await?;
    world.run_for(5).await;
    let refusal = pod::refused("pod-refused", old, &world.deployment.template).await?;
    expect(
        refusal.contains("written in format"),
        "an older pod starts",
        &refusal,
    )?;

    let lowered = world.entry_format(next, &["set", NOW]).await?;
    expect(lowered.0, "the format is lowered", &lowered.1)?;
    world.run_for(2).await;
    let formats = world.newest_formats().await?;
    println!("rolling: lowered; the newest entries have format {formats:?}");
    world.deployment.roll("rollback", old, async || Ok(())).await?;

    // Whoever was away has entries ahead that no pod reads now. Nothing is made of them.
    let before = away.received;
    let mut held = Reader::open(
        &client,
        own.clone(),
        streams::Start::Cursor(cursor.into()),
        false,
        away,
    );
    world.run_for(5).await;
    let (received, wrong) = {
        let got = held.got();
        (got.received, got.wrong.clone())
    };
    println!(
        "rolling: the stream that was away got {} events, and waits",
        received - before
    );
    if !wrong.is_empty() {
        return Err(format!("the stream that was away: {}", wrong.join(", ")).into());
    }

    world
        .deployment
        .roll("upgrade again", next, async || Ok(()))
        .await?;
    raise(world, next).await?;
    world.run_for(3).await;
    held.conversations = own;
    Ok(held)
}

/// Upgrades all pods; answers what came of an attempt to raise the format half-way.
async fn upgrade(world: &mut World, options: &Options) -> Result<(bool, String)> {
    let next = options.next.clone();
    let (program, config) = (next.clone(), world.deployment.template.config.clone());
    let redis_url = world.deployment.template.redis_url.clone();
    let mut half = (true, "nobody tried".to_owned());
    world
        .deployment
        .roll("upgrade", &next, async || {
            let tried = tokio::process::Command::new(&program)
                .env_clear()
                .env("CHATBRIDGE_REDIS_URL", &redis_url)
                .args(["entry-format", "set", NEXT, "--wait", "0", "--config"])
                .arg(&config)
                .output()
                .await?;
            let said = String::from_utf8_lossy(&[tried.stdout, tried.stderr].concat()).into_owned();
            half = (tried.status.success(), said);
            Ok(())
        })
        .await?;
    Ok(half)
}

async fn raise(world: &mut World, program: &std::path::Path) -> Result<()> {
    let raised = world.entry_format(program, &["set", NEXT]).await?;
    expect(raised.0, "the format is raised", &raised.1)?;
    world.run_for(3).await;
    let formats = world.newest_formats().await?;
    println!("rolling: raised; the newest entries have format {formats:?}");
    expect(
        formats.contains(NEXT),
        "entries are written in the next format",
        &format!("{formats:?}"),
    )
}

fn expect(is_so: bool, what: &str, said: &str) -> Result<()> {
    if is_so {
        Ok(())
    } else {
        Err(format!("{what}: {said}").into())
    }
}
