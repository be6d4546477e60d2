//! The port of the webhook door: HTTP/1.1, with TLS or without, from whoever can reach it.
//!
//! A connection carries one request at a time, so the limit of connections is also that of requests, and the memory that
//! they may take is known. Whoever is slow gives way to others ([`Seats`]).

mod connection;

use std::{sync::Arc, time::Duration};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::accept::{Patience, REST, is_of_one};
use crate::{
    grpc::gate::{Gate, Limits},
    tls::{Endpoint, Wire},
    webhook::{Ingress, Refusal, SeatLimits, Seats, Sources, ingress::WEBHOOKS, router},
};

/// Counter of connections that were not taken, by `limit`: in `total`, or of their `address`.
const REFUSED: &str = "chatbridge_webhook_connections_refused_total";

/// What a port is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counters {
    /// Requests that never became one for its router, by `result`, a [`Refusal`]'s reason.
    pub(super) requests: &'static str,
    /// Connections that were not taken, by `limit`.
    pub(super) connections: &'static str,
}

/// Those of the webhook door.
const DOOR: Counters = Counters {
    requests: WEBHOOKS,
    connections: REFUSED,
};

/// After how long a silence the system asks whether the other end is there, and how long its answer may take.
const PATIENCE: Patience = Patience {
    silence: Duration::from_secs(20),
    answer: Duration::from_secs(10),
};

/// Those of the port for Chat API v2.
pub(super) const CHAT_V2: Counters = Counters {
    requests: "chatbridge_chat_v2_refused_total",
    connections: "chatbridge_chat_v2_connections_refused_total",
};

/// What the port has room for, and whom it takes connections from.
#[derive(Debug, Clone, Default)]
pub struct WebhookPort {
    /// Its places.
    pub seats: SeatLimits,
    /// Connections from one address; 0: any number. Proxies that are believed have no such limit.
    pub connections_per_address: usize,
    /// As the door's own: whoever can only be refused there gets no handshake.
    pub sources: Sources,
    /// `None`: connections are not encrypted.
    pub tls: Option<Arc<Endpoint>>,
}

/// Takes connections and hands their requests to the door, until `stop`; then those that are under way are finished.
pub async fn serve(listener: TcpListener, ingress: Arc<Ingress>, port: WebhookPort, stop: CancellationToken) {
    host(listener, router(ingress), port, DOOR, stop).await;
}

/// The same for another router, whose requests have [`crate::webhook::ingress::Came`] among their extensions too.
pub(super) async fn host(
    listener: TcpListener,
    app: Router,
    port: WebhookPort,
    counters: Counters,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let host = Host {
        seats: Seats::counted_by(counters.requests, port.seats),
        counters,
        gate: Gate::new(Limits {
            total: 0,
            per_address: port.connections_per_address,
        }),
        port,
    };
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => host.receive(stream, address.ip(), &app, &connections, &stop),
                Err(error) if is_of_one(&error) => {
                    debug!(%error, "a connection broke before it was accepted")
                }
                Err(error) => {
                    warn!(%error, "a connection cannot be accepted");
                    // Most often files of the process have run out, and somebody keeps one open for nothing.
                    host.seats.make_room();
                    tokio::time::sleep(REST).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.cancelled() => {}
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Who lets connections in.
struct Host {
    seats: Arc<Seats>,
    gate: Arc<Gate>,
    port: WebhookPort,
    counters: Counters,
}

impl Host {
    /// Takes a connection in, or closes it.
    fn receive(
        &self,
        stream: TcpStream,
        peer: std::net::IpAddr,
        app: &Router,
        connections: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let sources = &self.port.sources;
        if sources.is_hopeless(peer) {
            let reason = Refusal::AddressNotAllowed.reason();
            metrics::counter!(self.counters.requests, "result" => reason).increment(1);
            debug!(address = %peer, reason, "a connection was closed");
            return;
        }
        let refuse = |limit: &'static str| {
            metrics::counter!(self.counters.connections, "limit" => limit).increment(1);
            debug!(address = %peer, limit, "a connection was closed: there are as many as there may be");
        };
        // A proxy's connections are many people's.
        let counted = Some(peer).filter(|peer| !sources.is_proxy(*peer));
        let Ok(admitted) = self.gate.admit(counted) else {
            return refuse("address");
        };
        let Some(seat) = self.seats.take(counted) else {
            return refuse("total");
        };
        // Small answers must not wait for more.
        let _ = stream.set_nodelay(true);
        PATIENCE.set(&stream);
        let wire = Wire::new(stream, self.port.tls.as_deref());
        let serving = connection::serve(
            wire,
            peer,
            seat,
            self.counters.requests,
            app.clone(),
            stop.clone(),
        );
        connections.spawn(async move {
            serving.await;
            drop(admitted);
        });
    }
}
