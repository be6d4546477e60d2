//! What stands before the pods: connections go to one that is ready, at random, and stay there whatever is heard of it later, as
//! kube-proxy does it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::RngExt as _;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::Result;

/// One port of a Service.
pub struct Balancer {
    pub address: SocketAddr,
    ready: Arc<Mutex<Vec<SocketAddr>>>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Opens it on a free loopback port, with nobody behind it.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let ready = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let behind = Arc::clone(&ready);
        let task = tokio::spawn(async move {
            // Connections end with the task that accepts them.
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        let chosen = choose(&locked(&behind));
                        connections.spawn(connection(stream, chosen));
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, ready, task })
    }

    /// New connections may go there from now on.
    pub fn add(&self, pod: SocketAddr) {
        let mut ready = locked(&self.ready);
        if !ready.contains(&pod) {
            ready.push(pod);
        }
    }

    /// No new connections go there; those that are open stay.
    pub fn remove(&self, pod: SocketAddr) {
        locked(&self.ready).retain(|other| *other != pod);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked(ready: &Mutex<Vec<SocketAddr>>) -> MutexGuard<'_, Vec<SocketAddr>> {
    ready.lock().unwrap_or_else(PoisonError::into_inner)
}

fn choose(ready: &[SocketAddr]) -> Option<SocketAddr> {
    let count = ready.len();
    (count > 0).then(|| ready[rand::rng().random_range(0..count)])
}

async fn connection(mut client: TcpStream, pod: Option<SocketAddr>) {
    let upstream = match pod {
        Some(pod) => TcpStream::connect(pod).await.ok(),
        None => None,
    };
    let Some(mut upstream) = upstream else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = (client.set_nodelay(true), upstream.set_nodelay(true));
    // A reset on one side is one on the other.
    if copy_bidirectional(&mut client, &mut upstream).await.is_err() {
        let _ = (client.set_zero_linger(), upstream.set_zero_linger());
    }
}
