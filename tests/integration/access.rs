//! Who may call, and whose events they see.

mod audit;
mod matrix;
mod rotation;
mod tenants;

use std::path::PathBuf;

use chatbridge::{
    access::token::{hash, to_hex},
    grpc::proto::{AgentEventsResponse, agent_event_service_client::AgentEventServiceClient, *},
};
use tonic::{Request, Status, Streaming};

use crate::support::{
    issuer::{AUDIENCE, ISSUER, Issuer, Pair},
    redis::{RedisServer, unique_prefix},
    service::Service,
    vendor::Vendor,
};

/// The tenants: that of the vendor's webhooks, and another.
const ACME: &str = "acme";
const GLOBEX: &str = "globex";

/// A vendor, an issuer, Redis, and the file with the settings of services.
struct World {
    vendor: Vendor,
    issuer: Issuer,
    pair: Pair,
    file: PathBuf,
    redis_url: String,
    prefix: String,
    _dir: tempfile::TempDir,
    _redis: std::sync::Arc<RedisServer>,
}

/// One of `[[callers]]`, whose token is its name.
fn caller(name: &str, role: &str, tenant: &str) -> String {
    caller_with(name, role, tenant, &[name], "")
}

fn caller_with(name: &str, role: &str, tenant: &str, tokens: &[&str], more: &str) -> String {
    let hashes: Vec<String> = tokens.iter().map(|token| to_hex(&hash(token))).collect();
    format!(
        "[[callers]]\nname = {name:?}\nrole = {role:?}\ntenants = [{tenant:?}]\ntoken_sha256 = {hashes:?}\n{more}\n"
    )
}

impl World {
    async fn new() -> Self {
        let (redis, vendor, pair) = (RedisServer::shared(), Vendor::start().await, Pair::new("k1"));
        let dir = tempfile::tempdir().unwrap();
        Self {
            issuer: Issuer::start(&[&pair]).await,
            vendor,
            pair,
            file: dir.path().join("chatbridge.toml"),
            redis_url: redis.url(),
            prefix: unique_prefix(),
            _dir: dir,
            _redis: redis,
        }
    }

    /// The tables of both tenants.
    fn tenants(&self) -> String {
        self.tenant(ACME, "k3y-1") + &self.tenant(GLOBEX, "k3y-2")
    }

    fn tenant(&self, id: &str, key: &str) -> String {
        let url = self.vendor.server.uri();
        format!("[[tenants]]\nid = {id:?}\napi_key = {key:?}\ngateway_url = {url:?}\n")
    }

    /// The table of the issuer, whose groups are called like roles.
    fn issuer(&self) -> String {
        let mut toml = format!(
            "[[jwt_issuers]]\nissuer = {ISSUER:?}\naudiences = [{AUDIENCE:?}]\nalgorithms = [\"ES256\"]\njwks_url = {:?}\n",
            self.issuer.url()
        );
        for role in ["reader", "caller", "admin"] {
            toml += &format!(
                "[[jwt_issuers.grants]]\nclaim = \"groups\"\nvalue = {role:?}\nrole = {role:?}\ntenants = [{ACME:?}]\n"
            );
        }
        toml
    }

    /// Writes the settings, as Kubernetes does: by renaming.
    fn write(&self, tables: &str) {
        let next = self.file.with_extension("next");
        std::fs::write(&next, tables).unwrap();
        std::fs::rename(next, &self.file).unwrap();
    }

    async fn serve(&self, tables: &str) -> Service {
        self.write(tables);
        self.replica(&[]).await
    }

    /// A service with the settings as they are written.
    async fn replica(&self, more: &[(&str, &str)]) -> Service {
        let mut settings = vec![
            ("config", self.file.to_str().unwrap()),
            ("redis_url", &self.redis_url),
            ("redis_prefix", &self.prefix),
            ("heartbeat_ms", "10000"),
        ];
        settings.extend_from_slice(more);
        Service::start(&settings).await
    }
}

/// The same request from the owner of a token.
fn by<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

/// Opens a stream and waits for its first heartbeat.
async fn stream(
    service: &Service,
    token: &str,
    request: AgentEventsRequest,
) -> Result<Streaming<AgentEventsResponse>, Status> {
    let mut client = AgentEventServiceClient::new(service.channel().await);
    let mut stream = client.agent_events(by(token, request)).await?.into_inner();
    stream.message().await?.expect("a heartbeat");
    Ok(stream)
}

/// The stable reason of an error.
fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}
