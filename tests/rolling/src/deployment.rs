//! A Deployment with maxSurge 1 and maxUnavailable 0: a new pod, once it has been ready for long enough, takes the place of an old one.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};

use crate::{
    Result,
    pod::{Pod, Template},
};

/// The pods of one Deployment.
pub struct Deployment {
    pub template: Arc<Template>,
    pods: Vec<Pod>,
    /// How many pods there have been.
    started: usize,
}

impl Deployment {
    /// Starts as many pods of a program as the chart asks for.
    pub async fn start(program: &Path, template: Arc<Template>) -> Result<Self> {
        let mut deployment = Self {
            template,
            pods: Vec::new(),
            started: 0,
        };
        for _ in 0..deployment.template.values.replica_count {
            let pod = deployment.pod(program).await?;
            deployment.pods.push(pod);
        }
        Ok(deployment)
    }

    async fn pod(&mut self, program: &Path) -> Result<Pod> {
        self.started += 1;
        Pod::start(&format!("pod-{}", self.started), program, &self.template).await
    }

    /// Replaces all pods by those of a program, one after another, with `midway` once half of them are new.
    pub async fn roll(
        &mut self,
        what: &str,
        program: &Path,
        mut midway: impl AsyncFnMut() -> Result<()>,
    ) -> Result<()> {
        let begun = Instant::now();
        let old = std::mem::take(&mut self.pods);
        let half = old.len().div_ceil(2);
        let mut stopping = JoinSet::new();
        for (number, old) in old.into_iter().enumerate() {
            let new = self.pod(program).await?;
            sleep(self.template.values.min_ready()).await;
            println!(
                "rolling: {:>3.0} s: {what}: {} takes the place of {}",
                begun.elapsed().as_secs_f64(),
                new.name,
                old.name
            );
            self.pods.push(new);
            stopping.spawn(old.stop());
            if number + 1 == half {
                midway().await?;
            }
        }
        let mut longest = Duration::ZERO;
        while let Some(stopped) = stopping.join_next().await {
            longest = longest.max(stopped??);
        }
        println!(
            "rolling: {:>3.0} s: {what}: done; a pod took at most {:.1} s of its {:.0} s to stop",
            begun.elapsed().as_secs_f64(),
            longest.as_secs_f64(),
            self.template.values.grace().as_secs_f64()
        );
        Ok(())
    }

    /// The names of the pods that run.
    pub fn names(&self) -> Vec<&str> {
        self.pods.iter().map(|pod| pod.name.as_str()).collect()
    }
}
