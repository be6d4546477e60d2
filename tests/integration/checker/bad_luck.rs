//! What goes wrong on a real Redis while writers write and readers read: at random, and each kind of loss at least once.

use std::{collections::VecDeque, sync::atomic::Ordering, time::Duration};

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use redis::Pipeline;
use tokio::time::sleep;

use super::{
    Report,
    in_redis::Run,
    truth::{Loss, Truth},
    violation::{Checked, violation},
};

/// A way to lose something of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Losing {
    /// What is old goes, by the service's own hand.
    Trim,
    /// All goes.
    Wipe,
    /// Redis writes down what it holds, to which a rewind leads back.
    Save,
    Rewind,
}

/// Which losses a world has. A log that is both trimmed and rewound would leave open which of its partitions a gap was told
/// of, so the one is for worlds of even seeds and the other for those of odd ones.
pub(super) struct Plan {
    trims: bool,
    budget: u64,
    /// At which step each loss is due that luck might leave out.
    due: VecDeque<(u64, Losing)>,
}

impl Plan {
    pub(super) fn new(seed: u64, budget: u64) -> Self {
        let trims = seed.is_multiple_of(2);
        let due = match trims {
            true => vec![
                (budget / 4, Losing::Trim),
                (budget / 2, Losing::Wipe),
                (budget / 4 * 3, Losing::Trim),
            ],
            false => vec![
                (budget / 4, Losing::Save),
                (budget / 2, Losing::Rewind),
                (budget / 4 * 3, Losing::Wipe),
            ],
        };
        Self {
            trims,
            budget,
            due: due.into(),
        }
    }

    fn take_due(&mut self, step: u64, saved: bool) -> Option<Losing> {
        let (_, losing) = self.due.pop_front_if(|(due, _)| *due <= step)?;
        if losing == Losing::Rewind && !saved {
            // A wipe took what was saved, or it has gone back there already: now it is saved again.
            self.due.push_front((step + self.budget / 8, Losing::Rewind));
        }
        Some(losing)
    }

    /// By luck.
    fn some(&self, chance: &mut StdRng) -> Losing {
        let kept = if self.trims {
            [Losing::Trim, Losing::Trim, Losing::Wipe]
        } else {
            [Losing::Save, Losing::Rewind, Losing::Wipe]
        };
        *kept.choose(chance).expect("there are some")
    }
}

impl Run {
    /// Everything goes wrong now and then, until the writers are done.
    pub(super) async fn spoil(&self, chance: &mut StdRng, plan: Option<Plan>) -> Checked<(Truth, Report)> {
        let spoiled = self.spoil_until_over(chance, plan).await;
        // Whoever waits for more to be appended must not wait for ever.
        self.over.store(true, Ordering::SeqCst);
        spoiled
    }

    async fn spoil_until_over(
        &self,
        chance: &mut StdRng,
        mut plan: Option<Plan>,
    ) -> Checked<(Truth, Report)> {
        let (mut truth, mut report) = (Truth::default(), Report::default());
        let mut saved = false;
        // Erasures are left out while something is saved, and of a conversation that has nothing: so they are tried often.
        let kinds = if self.erases { 44 } else { 40 };
        while !self.over.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(chance.random_range(10..120))).await;
            let due = plan
                .as_mut()
                .and_then(|plan| plan.take_due(self.steps.load(Ordering::SeqCst), saved));
            if let Some(losing) = due {
                self.lose(losing, &mut saved, (&mut truth, &mut report), chance)
                    .await?;
                continue;
            }
            let replica = self.replica(chance);
            match chance.random_range(0..kinds) {
                0..16 => {
                    replica.weather.break_feed(chance.random_range(0..2));
                    report.breaks += 1;
                }
                16..24 => {
                    let failing = [0, 0, 50, 200].choose(chance).copied().unwrap_or(0);
                    replica.weather.fail_reads(failing);
                }
                24..34 => {
                    self.cut_connections().await;
                    report.breaks += 1;
                }
                // While something is saved it would write over what is to come back later.
                34 if !saved => {
                    self.restart(&mut truth, true).await?;
                    report.breaks += 1;
                }
                35..39 => {
                    if let Some(plan) = &plan {
                        let losing = plan.some(chance);
                        self.lose(losing, &mut saved, (&mut truth, &mut report), chance)
                            .await?;
                    }
                }
                // What is saved would bring it back.
                _ if !saved && self.erases => report.erased += self.erase(&mut truth, chance).await?,
                _ => {}
            }
        }
        Ok((truth, report))
    }

    async fn lose(
        &self,
        losing: Losing,
        saved: &mut bool,
        (truth, report): (&mut Truth, &mut Report),
        chance: &mut StdRng,
    ) -> Checked {
        match losing {
            Losing::Trim => {
                self.trim(truth, chance).await?;
                report.trims += 1;
            }
            Losing::Wipe => {
                self.wipe(truth).await?;
                *saved = false;
                report.wipes += 1;
            }
            Losing::Rewind if *saved => {
                self.restart(truth, false).await?;
                *saved = false;
                report.rewinds += 1;
            }
            Losing::Save | Losing::Rewind => {
                self.save(truth).await?;
                *saved = true;
            }
        }
        Ok(())
    }

    /// Asks Redis past all that is under test; on a busy machine more than once.
    async fn insist(&self, ask: &Pipeline) {
        for _ in 0..20 {
            let mut connection = self.server.connection().await;
            if ask.exec_async(&mut connection).await.is_ok() {
                return;
            }
        }
        panic!("Redis does not do what it is asked");
    }

    async fn cut_connections(&self) {
        let mut kill = redis::pipe();
        kill.cmd("CLIENT")
            .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        self.insist(&kill).await;
    }

    /// Redis writes down what it holds.
    async fn save(&self, truth: &mut Truth) -> Checked {
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        self.write_down().await;
        Ok(())
    }

    async fn write_down(&self) {
        self.insist(redis::pipe().cmd("SAVE")).await;
    }

    /// Redis is killed and comes back with what it wrote down last: all, or what it held some time ago.
    async fn restart(&self, truth: &mut Truth, whole: bool) -> Checked {
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        if whole {
            self.write_down().await;
        }
        tokio::task::block_in_place(|| self.server.restart());
        self.audit(truth, (!whole).then_some(Loss::Rewound)).await
    }

    /// A conversation is erased, by whichever replica; answers how many entries that were.
    async fn erase(&self, truth: &mut Truth, chance: &mut StdRng) -> Checked<u64> {
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        let key = self.cast.keys.choose(chance).expect("there are some");
        let mut erased = 0;
        // A connection may have been cut just now: what was done until then is not counted again.
        loop {
            if let Ok(it) = self.replica(chance).store.erase(key).await {
                erased += it.entries;
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        let expected = if key.conversation.is_empty() {
            0
        } else {
            truth.erase(key)
        };
        if erased > expected {
            return violation!(
                NotInLog,
                "of {key:?} {erased} entries were erased, and it had {expected}"
            );
        }
        self.audit(truth, None).await?;
        Ok(expected)
    }

    async fn wipe(&self, truth: &mut Truth) -> Checked {
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        self.insist(redis::pipe().cmd("FLUSHALL")).await;
        self.audit(truth, Some(Loss::Wiped)).await
    }

    /// What is older than the log keeps goes: more often much than little.
    async fn trim(&self, truth: &mut Truth, chance: &mut StdRng) -> Checked {
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        truth.trims = true;
        let times = [0, 1].map(|_| truth.some_time(chance));
        if let Some(before_ms) = times.into_iter().flatten().max() {
            self.trim_before(before_ms).await;
        }
        self.audit(truth, None).await
    }
}
