//! A replica as a pod: started, probed and stopped as kubelet does it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    Result,
    balancer::Balancer,
    chart::{Probe, Values},
    process::{Process, command, log_file, until},
};

/// How long a start may take until it listens.
const LISTENS_WITHIN: Duration = Duration::from_secs(60);

/// What all pods have in common.
pub struct Template {
    pub values: Values,
    pub grpc: Balancer,
    pub webhook: Balancer,
    pub redis_url: String,
    /// The service's settings, as the chart's ConfigMap has them.
    pub config: PathBuf,
    pub logs: PathBuf,
    /// What no pod may do.
    pub wrong: Mutex<Vec<String>>,
}

impl Template {
    /// Notes something that breaks the promise.
    pub fn wrong(&self, what: String) {
        self.wrong
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }
}

#[derive(Clone, Copy)]
struct Ports {
    grpc: SocketAddr,
    webhook: SocketAddr,
    admin: SocketAddr,
}

/// A pod, which ends when it is dropped.
pub struct Pod {
    pub name: String,
    template: Arc<Template>,
    process: Process,
    ports: Ports,
    /// Its own until it is told to go.
    probed: Option<AbortOnDropHandle<()>>,
}

impl Pod {
    /// Starts a program as a pod, and answers once it is ready.
    pub async fn start(name: &str, program: &Path, template: &Arc<Template>) -> Result<Self> {
        let mut process = spawn(name, program, template)?;
        let ports = listening(name, &mut process, template).await?;
        started(name, ports.admin, &template.values.probes.startup).await?;
        let (told, mut is_ready) = watch::channel(false);
        let (own, named) = (Arc::clone(template), name.to_owned());
        let probed = tokio::spawn(async move {
            tokio::join!(
                readiness(&named, ports, &own, &told),
                liveness(&named, ports, &own)
            );
        });
        let pod = Self {
            name: name.to_owned(),
            template: Arc::clone(template),
            process,
            ports,
            probed: Some(AbortOnDropHandle::new(probed)),
        };
        let ready = timeout(LISTENS_WITHIN, is_ready.wait_for(|ready| *ready)).await;
        ready.map_err(|_| format!("{name} did not become ready"))??;
        Ok(pod)
    }

    /// Stops it: it is taken out of the balancers, sleeps, gets SIGTERM, and is killed after its grace period. Answers how long all
    /// of that took.
    pub async fn stop(mut self) -> Result<Duration> {
        let (begun, values) = (Instant::now(), &self.template.values);
        if let Err(error) = self.process.must_run() {
            self.template.wrong(error.to_string());
        }
        // From here on it is probed no more for readiness: it is out.
        self.probed = None;
        let heard = async {
            sleep(values.heard_after()).await;
            self.template.grpc.remove(self.ports.grpc);
            self.template.webhook.remove(self.ports.webhook);
        };
        tokio::join!(heard, sleep(values.pre_stop()));
        self.process.signal(Signal::SIGTERM)?;
        loop {
            if let Some(status) = self.process.ended() {
                if !status.success() {
                    self.template
                        .wrong(format!("{} answered SIGTERM with {status}", self.name));
                }
                break;
            }
            if begun.elapsed() > values.grace() {
                self.template
                    .wrong(format!("{} had to be killed after its grace period", self.name));
                self.process.kill();
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(log_file(&self.template.logs, &self.name)).unwrap_or_default();
        if log.contains("panicked at") {
            self.template.wrong(format!("{} panicked", self.name));
        }
        Ok(begun.elapsed())
    }
}

/// Starts a program that must refuse to run here; answers what it said.
pub async fn refused(name: &str, program: &Path, template: &Template) -> Result<String> {
    let mut process = spawn(name, program, template)?;
    let what = format!("{name} ends by itself");
    let status = until(&what, LISTENS_WITHIN, async || process.ended()).await?;
    let said = std::fs::read_to_string(log_file(&template.logs, name))?;
    if status.code() == Some(1) {
        Ok(said)
    } else {
        Err(format!("{name} ended with {status}: {said}").into())
    }
}

fn ready_file(name: &str, template: &Template) -> PathBuf {
    template.logs.join(format!("{name}.ready.json"))
}

fn spawn(name: &str, program: &Path, template: &Template) -> Result<Process> {
    let mut command = command(program);
    command
        .env_clear()
        .args(["serve", "--ready-file"])
        .arg(ready_file(name, template))
        .arg("--config")
        .arg(&template.config)
        .env("HOSTNAME", name)
        .env("CHATBRIDGE_LOG", "info")
        .env("CHATBRIDGE_REDIS_URL", &template.redis_url);
    for port in ["GRPC", "WEBHOOK", "ADMIN"] {
        command.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
    }
    for (setting, value) in template.values.settings() {
        command.env(format!("CHATBRIDGE_{setting}"), value);
    }
    Process::start(name, command, &template.logs)
}

async fn listening(name: &str, process: &mut Process, template: &Template) -> Result<Ports> {
    let file = ready_file(name, template);
    let text = until(&format!("{name} listens"), LISTENS_WITHIN, async || {
        if process.ended().is_some() {
            return Some(String::new());
        }
        std::fs::read_to_string(&file).ok()
    })
    .await?;
    process.must_run()?;
    let addresses: Value = serde_json::from_str(&text)?;
    let address = |port: &str| -> Result<SocketAddr> {
        let text = addresses[port]
            .as_str()
            .ok_or("the ready file names no address")?;
        Ok(text.parse()?)
    };
    Ok(Ports {
        grpc: address("grpc")?,
        webhook: address("webhook")?,
        admin: address("admin")?,
    })
}

/// The startup probe: HTTP `/readyz`.
async fn started(name: &str, admin: SocketAddr, probe: &Probe) -> Result<()> {
    for _ in 0..probe.failure_threshold {
        if is_fine(admin, "readyz", probe).await {
            return Ok(());
        }
        sleep(probe.period()).await;
    }
    Err(format!("{name} had not started when its startup probe gave up").into())
}

/// The readiness probe: gRPC health of the whole service. While it is well, the balancers send connections.
async fn readiness(name: &str, ports: Ports, template: &Template, told: &watch::Sender<bool>) {
    let probe = &template.values.probes.readiness;
    let mut due = interval(probe.period());
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = 0;
    loop {
        due.tick().await;
        let is_ready = *told.borrow();
        if timeout(probe.timeout(), serves(ports.admin))
            .await
            .unwrap_or(false)
        {
            failed = 0;
            if !is_ready {
                template.grpc.add(ports.grpc);
                template.webhook.add(ports.webhook);
                told.send_replace(true);
            }
        } else {
            failed += 1;
            if is_ready && failed >= probe.failure_threshold {
                template.wrong(format!(
                    "{name} ceased to be ready although nobody had asked it to stop"
                ));
                template.grpc.remove(ports.grpc);
                template.webhook.remove(ports.webhook);
                told.send_replace(false);
            }
        }
    }
}

/// The liveness probe: HTTP `/livez`. One that fails would have the pod restarted, which nothing here may cause.
async fn liveness(name: &str, ports: Ports, template: &Template) {
    let probe = &template.values.probes.liveness;
    let mut due = interval(probe.period());
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = 0;
    loop {
        due.tick().await;
        failed = if is_fine(ports.admin, "livez", probe).await {
            0
        } else {
            failed + 1
        };
        if failed == probe.failure_threshold {
            template.wrong(format!(
                "{name} would have been restarted: it did not answer its liveness probe"
            ));
        }
    }
}

async fn serves(admin: SocketAddr) -> bool {
    let asked = async {
        let channel = Endpoint::from_shared(format!("http://{admin}"))?
            .connect()
            .await?;
        let request = HealthCheckRequest::default();
        let answer = HealthClient::new(channel).check(request).await?.into_inner();
        Ok::<_, crate::Error>(answer.status() == ServingStatus::Serving)
    };
    asked.await.unwrap_or(false)
}

async fn is_fine(admin: SocketAddr, path: &str, probe: &Probe) -> bool {
    let asked = async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(probe.timeout())
            .build()?;
        client.get(format!("http://{admin}/{path}")).send().await
    };
    asked.await.is_ok_and(|answer| answer.status().is_success())
}
