//! The table of settings: the one place that names them, with their defaults.

/// One setting: its name, its default (empty: none) and what it is.
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its default; empty: none.
    pub default: &'static str,
    /// What it is, with unit and range.
    pub help: &'static str,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help }
}

/// All settings.
pub const SETTINGS: &[Setting] = &[
    setting(
        "gateway_url",
        "https://api.8x8.com",
        "base URL of the Chat Gateway",
    ),
    setting(
        "gateway_timeout_ms",
        "10000",
        "how long one request to the Chat Gateway may take, in ms (100 to 60000)",
    ),
    setting(
        "gateway_attempts",
        "3",
        "how often a request that may be repeated is sent at most (1 to 10)",
    ),
    setting(
        "gateway_rate_per_second",
        "0",
        "requests to the Chat Gateway a second at most (0 to 100000; 0: no limit)",
    ),
    setting(
        "gateway_in_flight",
        "256",
        "requests to the Chat Gateway at once at most (1 to 10000)",
    ),
    setting(
        "gateway_circuit_open_ms",
        "5000",
        "how long the Chat Gateway is left alone once it keeps failing, in ms (0 to 600000; 0: it never is)",
    ),
    setting(
        "transfer_timeout_seconds",
        "600",
        "how long the upload or download of a file may take, in seconds (1 to 7200)",
    ),
    setting(
        "attachment_max_bytes",
        "104857600",
        "the largest file that is taken for upload, in bytes (1024 to 1073741824)",
    ),
    setting(
        "tenant",
        "",
        "the vendor's tenant id; required, unless there are `[[tenants]]`",
    ),
    setting(
        "api_key",
        "",
        "the vendor's API key; required, unless there are `[[tenants]]`; secret",
    ),
    setting(
        "webhook_id",
        "",
        "the vendor's id of the webhook by which it delivers to this service; needed for channels that clients of Chat API v2 make",
    ),
    setting(
        "token_sha256",
        "",
        "SHA-256 of the token of a caller who may do everything, in hexadecimal; two, separated by a comma, while it is replaced",
    ),
    setting(
        "redis_url",
        "",
        "redis://, redis+sentinel://, redis+cluster://, each with rediss for TLS, or memory: (nothing survives the process); \
         required; secret",
    ),
    setting(
        "redis_tls_ca_file",
        "",
        "PEM: the authorities that Redis's certificate may come from; empty: the well-known ones",
    ),
    setting(
        "redis_tls_cert_file",
        "",
        "PEM: the certificate that is shown to Redis, and its chain; empty: none",
    ),
    setting("redis_tls_key_file", "", "PEM: its private key"),
    setting(
        "redis_wait_replicas",
        "0",
        "on how many replicas of Redis an event must be before its webhook is answered 2xx (0 to 16; 0: on none)",
    ),
    setting(
        "redis_wait_ms",
        "1000",
        "how long those replicas may take, in ms (1 to 10000); then the webhook is answered 503",
    ),
    setting("redis_prefix", "chatbridge", "prefix of all keys in Redis"),
    setting(
        "partitions",
        "16",
        "partitions of the event log (1 to 128); fixed when Redis is first used",
    ),
    setting(
        "log_retention_hours",
        "72",
        "how long the event log is kept, in hours (1 to 8760)",
    ),
    setting(
        "log_max_bytes",
        "0",
        "how large the event log may get, in bytes of events (0 to 1125899906842624; 0: any size)",
    ),
    setting(
        "dedupe_retention_hours",
        "168",
        "how long repeated deliveries are known, in hours (1 to 8760)",
    ),
    setting(
        "session_retention_hours",
        "720",
        "how long a session is kept after its last activity, in hours (1 to 87600)",
    ),
    setting(
        "master_keys",
        "",
        "master keys that encrypt contents in Redis, each ID:BASE64 of 32 bytes, separated by commas; secret",
    ),
    setting(
        "master_keys_file",
        "",
        "a file of such keys, one a line, reread when it changes; empty: contents are not encrypted",
    ),
    setting("grpc_listen", "127.0.0.1:50051", "address of gRPC and gRPC-Web"),
    setting("webhook_listen", "127.0.0.1:8080", "address of the webhook door"),
    setting(
        "admin_listen",
        "127.0.0.1:9090",
        "address of /metrics, /livez, /readyz, /loglevel and gRPC health",
    ),
    setting(
        "chat_v2_listen",
        "",
        "address for clients of Chat API v2, such as 127.0.0.1:8081; empty: there is none",
    ),
    setting(
        "grpc_tls_cert_file",
        "",
        "PEM: the certificate of gRPC, and its chain; empty: without TLS",
    ),
    setting("grpc_tls_key_file", "", "PEM: its private key"),
    setting(
        "grpc_tls_client_ca_file",
        "",
        "PEM: the authorities that clients' certificates may come from; empty: none are asked for",
    ),
    setting(
        "grpc_tls_client_auth",
        "required",
        "whether clients must have a certificate where they are asked for one: required or optional",
    ),
    setting(
        "webhook_tls_cert_file",
        "",
        "PEM: the certificate of the webhook door, and its chain; empty: without TLS",
    ),
    setting("webhook_tls_key_file", "", "PEM: its private key"),
    setting(
        "webhook_tls_client_ca_file",
        "",
        "PEM: the authorities that clients' certificates may come from; empty: none are asked for",
    ),
    setting(
        "webhook_tls_client_auth",
        "required",
        "whether clients must have a certificate where they are asked for one: required or optional",
    ),
    setting(
        "webhook_path_secret",
        "",
        "if set, webhooks are accepted at /webhooks/8x8/SECRET only; secret",
    ),
    setting(
        "webhook_freshness_seconds",
        "300",
        "how far a webhook's transmission time may be off, in seconds (10 to 3600)",
    ),
    setting(
        "webhook_max_bytes",
        "1048576",
        "the largest webhook body, in bytes (1024 to 16777216)",
    ),
    setting(
        "webhook_allow",
        "",
        "networks that webhooks may come from, such as 192.0.2.0/24, separated by commas; empty: any",
    ),
    setting(
        "webhook_trusted_proxies",
        "",
        "networks of proxies that tell whose webhook they hand on, separated by commas; empty: none",
    ),
    setting(
        "webhook_forwarded_header",
        "x-forwarded-for",
        "the header by which they tell: x-forwarded-for or forwarded",
    ),
    setting(
        "webhook_rate_per_source",
        "0",
        "webhooks a second from one address at most, and as many at once (0 to 1000000; 0: no limit)",
    ),
    setting(
        "webhook_rate_per_tenant",
        "0",
        "signed webhooks of one tenant a second at most, and as many at once (0 to 1000000; 0: no limit)",
    ),
    setting(
        "webhook_connections_max",
        "2000",
        "connections to the webhook door that a replica has at most (0 to 1000000; 0: no limit)",
    ),
    setting(
        "webhook_connections_per_address_max",
        "0",
        "connections among them from one address (0 to 1000000; 0: no limit)",
    ),
    setting(
        "webhook_read_timeout_ms",
        "10000",
        "how long a webhook's head may take to come, and then its body, in ms (100 to 60000)",
    ),
    setting(
        "webhook_idle_timeout_seconds",
        "60",
        "how long a connection to the webhook door may be silent after a webhook, in seconds (1 to 3600)",
    ),
    setting(
        "webhook_buffer_bytes",
        "67108864",
        "bytes of webhook bodies that are held at once (1024 to 17179869184)",
    ),
    setting(
        "chat_v2_tls_cert_file",
        "",
        "PEM: the certificate of the port for Chat API v2, and its chain; empty: without TLS",
    ),
    setting("chat_v2_tls_key_file", "", "PEM: its private key"),
    setting(
        "chat_v2_tls_client_ca_file",
        "",
        "PEM: the authorities that clients' certificates may come from; empty: none are asked for",
    ),
    setting(
        "chat_v2_tls_client_auth",
        "required",
        "whether clients must have a certificate where they are asked for one: required or optional",
    ),
    setting(
        "chat_v2_token_secret",
        "",
        "what access tokens of Chat API v2 are signed with, 32 to 512 characters; two, separated by a comma, while it is \
         replaced, of which the first signs; required beside `chat_v2_listen`; secret",
    ),
    setting(
        "chat_v2_token_ttl_seconds",
        "3600",
        "how long an access token is good, in seconds (1 to 86400)",
    ),
    setting(
        "chat_v2_signing_key_file",
        "",
        "PEM: the RSA key that signs what is sent to webhooks of Chat API v2; further keys in the file can only be had; empty: \
         nothing is sent",
    ),
    setting(
        "chat_v2_webhook_allow",
        "",
        "networks of private addresses that webhooks of Chat API v2 may have, separated by commas; empty: none",
    ),
    setting(
        "chat_v2_webhook_timeout_ms",
        "10000",
        "how long such a webhook may take to answer, in ms (100 to 60000)",
    ),
    setting(
        "chat_v2_webhook_attempts",
        "10",
        "how often an event is sent that such a webhook refuses, until it is a dead letter (1 to 1000)",
    ),
    setting(
        "chat_v2_webhook_retry_seconds",
        "86400",
        "how old an event may be that is sent once more, in seconds (1 to 2592000)",
    ),
    setting(
        "chat_v2_webhook_waiting_max",
        "100000",
        "events that may wait for one such webhook (1 to 10000000)",
    ),
    setting(
        "chat_v2_max_bytes",
        "4194304",
        "the largest body of a request of Chat API v2, in bytes (1024 to 16777216)",
    ),
    setting(
        "chat_v2_connections_max",
        "2000",
        "connections to that port that a replica has at most (0 to 1000000; 0: no limit)",
    ),
    setting(
        "chat_v2_connections_per_address_max",
        "0",
        "connections among them from one address (0 to 1000000; 0: no limit)",
    ),
    setting(
        "chat_v2_read_timeout_ms",
        "10000",
        "how long a request's head may take to come, and then its body, in ms (100 to 60000)",
    ),
    setting(
        "chat_v2_idle_timeout_seconds",
        "60",
        "how long a connection to that port may be silent after a request, in seconds (1 to 3600)",
    ),
    setting(
        "chat_v2_buffer_bytes",
        "67108864",
        "bytes of such requests' bodies that are held at once (1024 to 17179869184)",
    ),
    setting(
        "heartbeat_ms",
        "15000",
        "the longest silence on a stream, in ms (50 to 20000)",
    ),
    setting(
        "stream_max_age_seconds",
        "1800",
        "after which age a stream is ended, give or take a tenth, in seconds (1 to 86400)",
    ),
    setting(
        "stream_lag_max_events",
        "0",
        "how many events a stream may be behind while it does not gain (0 to 9007199254740992; 0: any number)",
    ),
    setting(
        "streams_max",
        "50000",
        "streams that a replica has at most (0 to 1000000; 0: no limit)",
    ),
    setting(
        "streams_per_address_max",
        "0",
        "streams among them from one client address (0 to 1000000; 0: no limit)",
    ),
    setting(
        "connections_max",
        "10000",
        "connections to gRPC that a replica has at most (0 to 1000000; 0: no limit)",
    ),
    setting(
        "connections_per_address_max",
        "0",
        "connections among them from one client address (0 to 1000000; 0: no limit)",
    ),
    setting(
        "keepalive_ms",
        "20000",
        "after how long a silence a client of gRPC is asked whether it is there, in ms (100 to 60000)",
    ),
    setting(
        "keepalive_timeout_ms",
        "10000",
        "how long its answer may take before its connection is given up, in ms (100 to 60000)",
    ),
    setting(
        "agent_names_file",
        "",
        "a JSON file with an object of agents' ids and names, reread when it changes; empty: none",
    ),
    setting(
        "agent_names_url",
        "",
        "a URL with {id} that answers {\"name\": …} for an agent's id; empty: none; secret",
    ),
    setting(
        "agent_names_ttl_seconds",
        "300",
        "how long an agent's name is kept once looked up by URL, in seconds (1 to 86400)",
    ),
    setting(
        "settle_after_ms",
        "30000",
        "how long a conversation may wrap up in silence before 8x8 is asked, in ms (100 to 600000)",
    ),
    setting(
        "drain_spread_ms",
        "2000",
        "over which time streams are ended when the service stops, in ms (0 to 300000)",
    ),
    setting(
        "drain_deadline_ms",
        "10000",
        "after which time the service stops whatever is still open, in ms (100 to 600000)",
    ),
    setting(
        "cors_origins",
        "",
        "browser origins that may use gRPC-Web, separated by commas; empty: none",
    ),
    setting(
        "call_time_max_ms",
        "120000",
        "how long a call that is no stream may take, whatever its caller says, in ms (1000 to 3600000)",
    ),
    setting(
        "reflection",
        "true",
        "whether gRPC tells its contract by reflection, to those who may read",
    ),
    setting(
        "otlp_endpoint",
        "",
        "where traces go: a collector of OTLP over gRPC, such as http://otel-collector:4317; empty: none are made",
    ),
    setting(
        "otlp_headers",
        "",
        "what goes along with each request to it: NAME=VALUE, separated by commas, values escaped as in a URL; secret",
    ),
    setting(
        "otlp_tls_ca_file",
        "",
        "PEM: the authorities that its certificate may come from; empty: the well-known ones",
    ),
    setting(
        "trace_sample_ratio",
        "1",
        "which part of the traces that begin here is kept (0 to 1); one that a caller began is kept as the caller says",
    ),
    setting(
        "trace_upstream",
        "false",
        "whether requests to the Chat Gateway carry `traceparent` and `tracestate`",
    ),
];

/// Of each of `[[tenants]]`. What is not said there is as at the top.
pub const TENANT: &[Setting] = &[
    setting("id", "", "the vendor's tenant id; required"),
    setting("api_key", "", "the vendor's API key; required; secret"),
    setting(
        "webhook_id",
        "",
        "the vendor's id of the webhook by which it delivers to this service; as at the top, which it cannot be beside",
    ),
    setting("gateway_url", "", "base URL of the Chat Gateway"),
    setting("gateway_timeout_ms", "", "as at the top"),
    setting("gateway_attempts", "", "as at the top"),
    setting("gateway_rate_per_second", "", "as at the top"),
    setting("gateway_in_flight", "", "as at the top"),
    setting("gateway_circuit_open_ms", "", "as at the top"),
    setting("transfer_timeout_seconds", "", "as at the top"),
    setting("attachment_max_bytes", "", "as at the top"),
];
/// Lists of each of `[[tenants]]`.
pub const TENANT_LISTS: &[Setting] = &[setting(
    "channels",
    "",
    "ids of the channels on which conversations may be started; none: on all",
)];

/// Of each of `[[callers]]`.
pub const CALLER: &[Setting] = &[
    setting("name", "", "what it is called in logs; required"),
    setting("role", "", "`reader`, `caller` or `admin`; required"),
    setting(
        "calls_per_second",
        "0",
        "calls a second on one replica at most, as many at once after a pause (0 to 1000000; 0: no limit)",
    ),
    setting(
        "streams_max",
        "0",
        "streams of events on one replica at most (0 to 1000000; 0: no limit)",
    ),
];
/// Lists of each of `[[callers]]`.
pub const CALLER_LISTS: &[Setting] = &[
    setting("tenants", "", "the tenants it may use, or `*` for all; required"),
    setting(
        "token_sha256",
        "",
        "SHA-256 of its token, in hexadecimal; two while it is replaced",
    ),
    setting(
        "identities",
        "",
        "names in its client certificate: URIs such as `spiffe://example.org/bot`, or DNS names as `dns:bot.example.org`",
    ),
];

/// Of each of `[[jwt_issuers]]`.
pub const ISSUER: &[Setting] = &[
    setting("issuer", "", "`iss` of its tokens; required"),
    setting(
        "jwks_url",
        "",
        "where its keys are: https, or http on loopback; required",
    ),
    setting("name_claim", "sub", "the claim that names the caller"),
];
/// Lists of each of `[[jwt_issuers]]`.
pub const ISSUER_LISTS: &[Setting] = &[
    setting("audiences", "", "one of these must be in `aud`; required"),
    setting(
        "algorithms",
        "",
        "how it signs: some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA; required",
    ),
];

/// Of each of `[[jwt_issuers.grants]]`.
pub const GRANT: &[Setting] = &[
    setting(
        "claim",
        "",
        "a claim; a dot goes into an object, as in `realm_access.roles`; required",
    ),
    setting(
        "value",
        "",
        "the text that it must be, have in its list, or have among its words; required",
    ),
    setting("role", "", "`reader`, `caller` or `admin`; required"),
    setting("calls_per_second", "0", "as for `[[callers]]`, for each name"),
    setting("streams_max", "0", "as for `[[callers]]`, for each name"),
];
/// Lists of each of `[[jwt_issuers.grants]]`.
pub const GRANT_LISTS: &[Setting] = &[setting(
    "tenants",
    "",
    "the tenants that they may use, or `*` for all; required",
)];

/// Of each of `[[chat_v2_clients]]`.
pub const CLIENT: &[Setting] = &[
    setting(
        "id",
        "",
        "its client id, which is also what it is called in logs; required",
    ),
    setting("calls_per_second", "0", "as for `[[callers]]`"),
];
/// Lists of each of `[[chat_v2_clients]]`.
pub const CLIENT_LISTS: &[Setting] = &[
    setting("tenants", "", "the tenants it may use, or `*` for all; required"),
    setting(
        "secret_sha256",
        "",
        "SHA-256 of its client secret, in hexadecimal; two while it is replaced; required",
    ),
    setting(
        "scopes",
        "",
        "what its tokens are good for, such as `vcc-chat.conversations.read`; none: everything",
    ),
];

/// What may be in a table of the file.
pub(super) struct Schema {
    pub(super) settings: &'static [Setting],
    pub(super) lists: &'static [Setting],
    pub(super) secrets: &'static [&'static str],
    pub(super) tables: &'static [&'static str],
}

pub(super) const ROOT_SCHEMA: Schema = Schema {
    settings: SETTINGS,
    lists: &[],
    secrets: &SECRETS,
    tables: &["tenants", "callers", "jwt_issuers", "chat_v2_clients"],
};
pub(super) const TENANT_SCHEMA: Schema = Schema {
    settings: TENANT,
    lists: TENANT_LISTS,
    secrets: &["api_key"],
    tables: &[],
};
pub(super) const CALLER_SCHEMA: Schema = Schema {
    settings: CALLER,
    lists: CALLER_LISTS,
    secrets: &[],
    tables: &[],
};
pub(super) const ISSUER_SCHEMA: Schema = Schema {
    settings: ISSUER,
    lists: ISSUER_LISTS,
    secrets: &[],
    tables: &["grants"],
};
pub(super) const GRANT_SCHEMA: Schema = Schema {
    settings: GRANT,
    lists: GRANT_LISTS,
    secrets: &[],
    tables: &[],
};

pub(super) const CLIENT_SCHEMA: Schema = Schema {
    settings: CLIENT,
    lists: CLIENT_LISTS,
    secrets: &[],
    tables: &[],
};

/// Settings at the top that hold from the moment they are changed; the others from the next start on.
pub(super) const RELOADED: [&str; 13] = [
    "tenant",
    "api_key",
    "token_sha256",
    "gateway_url",
    "gateway_timeout_ms",
    "gateway_attempts",
    "gateway_rate_per_second",
    "gateway_in_flight",
    "gateway_circuit_open_ms",
    "transfer_timeout_seconds",
    "attachment_max_bytes",
    "webhook_id",
    "chat_v2_token_secret",
];

/// Settings that hold a secret, and so may be given in a file of their own.
pub(super) const SECRETS: [&str; 6] = [
    "api_key",
    "redis_url",
    "webhook_path_secret",
    "agent_names_url",
    "otlp_headers",
    "chat_v2_token_secret",
];
