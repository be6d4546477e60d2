//! Reads the Redis URL: one server, a master that Sentinels name, or a cluster.

use std::{fmt, sync::Arc, time::Duration};

use ::redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo,
    RedisError,
};
use percent_encoding::percent_decode_str;
use socket2::TcpKeepalive;

use super::tls::{RedisTls, Target};
use crate::tls::install_provider;

/// What is said of a URL whose scheme is none of ours.
const EXPECTED: &str = "the Redis URL cannot be read: expected redis://[user:password@]host[:port][/database], \
    redis+sentinel://…, redis+cluster://…, or any of them with rediss for TLS";

const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26_379;

/// Host and port of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How to introduce oneself to servers that share credentials.
#[derive(Clone)]
pub(super) struct Login {
    /// `None`: connections are not encrypted.
    tls: Option<Arc<RedisTls>>,
    settings: RedisConnectionInfo,
}

impl Login {
    fn new(tls: Option<Arc<RedisTls>>, user: Option<&str>, password: Option<&str>, database: i64) -> Self {
        let mut settings = RedisConnectionInfo::default()
            .set_db(database)
            // Only with RESP3 the library tells at once that a connection was lost.
            .set_protocol(ProtocolVersion::RESP3);
        if let Some(user) = user {
            settings = settings.set_username(user);
        }
        if let Some(password) = password {
            settings = settings.set_password(password);
        }
        Self { tls, settings }
    }

    /// One server.
    pub(super) fn server(&self, address: &Address) -> Result<Target, RedisError> {
        let (host, port) = (address.host.clone(), address.port);
        let address = if self.tls.is_some() {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let client = open(
            address
                .into_connection_info()?
                .set_redis_settings(self.settings.clone()),
        )?;
        Ok(Target::new(client, self.tls.clone()))
    }
}

/// After how long a silence a connection's other end is asked whether it is there, and how often then.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(5);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(1);

/// After how long without any word of the other end's a connection is over, on Linux.
#[cfg(target_os = "linux")]
const DEAD_AFTER: Duration = Duration::from_secs(8);

fn open(info: ConnectionInfo) -> Result<Client, RedisError> {
    // One that nobody uses may be dead without anybody knowing, and whoever used it next would wait in vain.
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY);
    let tcp = info
        .tcp_settings()
        .clone()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(DEAD_AFTER);
    Client::open(info.set_tcp_settings(tcp))
}

/// Where Redis is.
pub(super) enum Place {
    /// One server, or a name that follows the master.
    Server(Box<Target>),
    /// The master that Sentinels name.
    Sentinel {
        sentinels: Vec<Target>,
        master: String,
        login: Login,
    },
    /// A cluster that any of these nodes can tell of.
    Cluster { seeds: Vec<Address>, login: Login },
}

/// Reads a URL, or says what is wrong with it without repeating any of it: it holds a password. `tls` is for where the URL
/// asks for encryption.
pub(super) fn parse(url: &str, tls: &RedisTls) -> Result<Place, String> {
    install_provider();
    let (scheme, rest) = url.split_once("://").ok_or(EXPECTED)?;
    let tls = scheme.starts_with("rediss").then(|| Arc::new(tls.clone()));
    match scheme {
        "redis" | "rediss" => server(tls, url),
        "redis+sentinel" | "rediss+sentinel" => sentinel(tls, rest),
        "redis+cluster" | "rediss+cluster" => cluster(tls, rest),
        _ => Err(EXPECTED.into()),
    }
}

fn server(tls: Option<Arc<RedisTls>>, url: &str) -> Result<Place, String> {
    // The library's words may repeat parts of the URL.
    let unreadable = |_: RedisError| EXPECTED.to_owned();
    let info = url.into_connection_info().map_err(unreadable)?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    open(info.set_redis_settings(settings))
        .map(|client| Place::Server(Box::new(Target::new(client, tls))))
        .map_err(unreadable)
}

fn sentinel(tls: Option<Arc<RedisTls>>, rest: &str) -> Result<Place, String> {
    let parts = Parts::read(rest, SENTINEL_PORT)?;
    let mut path = parts.path.split('/').filter(|part| !part.is_empty());
    let master = path.next().ok_or(
        "the Redis URL names no master: expected redis+sentinel://[user:password@]host[:port],…/MASTER[/database]",
    )?;
    let master = decoded(master, "master's name")?;
    let database = match path.next() {
        None => 0,
        Some(number) => number
            .parse()
            .ok()
            .filter(|n| *n >= 0)
            .ok_or("the database in the Redis URL is not a number from 0 on")?,
    };
    if path.next().is_some() {
        return Err("the Redis URL has more in its path than a master's name and a database".into());
    }
    let (mut user, mut password) = (None, None);
    for pair in parts.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = Some(decoded(value, "parameters")?);
        match name {
            "sentinel_username" => user = value,
            "sentinel_password" => password = value,
            _ => {
                return Err(
                    "the Redis URL has a parameter that is neither sentinel_username nor \
                            sentinel_password"
                        .into(),
                );
            }
        }
    }
    let to_sentinels = Login::new(tls.clone(), user.as_deref(), password.as_deref(), 0);
    let sentinels = parts.hosts.iter().map(|host| to_sentinels.server(host));
    Ok(Place::Sentinel {
        sentinels: sentinels
            .collect::<Result<_, _>>()
            .map_err(|_| "the Redis URL names a Sentinel that cannot be connected to".to_owned())?,
        master,
        login: Login::new(tls, parts.user.as_deref(), parts.password.as_deref(), database),
    })
}

fn cluster(tls: Option<Arc<RedisTls>>, rest: &str) -> Result<Place, String> {
    let parts = Parts::read(rest, SERVER_PORT)?;
    if !matches!(parts.path.trim_matches('/'), "" | "0") {
        return Err("the Redis URL names a database, and a cluster has only database 0".into());
    }
    if !parts.query.is_empty() {
        return Err("the Redis URL of a cluster has no parameters".into());
    }
    Ok(Place::Cluster {
        login: Login::new(tls, parts.user.as_deref(), parts.password.as_deref(), 0),
        seeds: parts.hosts,
    })
}

/// A URL with several hosts, which is none to the rest of the world.
struct Parts<'a> {
    user: Option<String>,
    password: Option<String>,
    hosts: Vec<Address>,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn read(rest: &'a str, port: u16) -> Result<Self, String> {
        if rest.contains('#') {
            return Err("the Redis URL has a fragment (#…): percent-encode a # in a password as %23".into());
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let given = |text: &str, what| {
            let text = decoded(text, what)?;
            Ok::<_, String>(Some(text).filter(|text| !text.is_empty()))
        };
        let hosts = hosts.split(',').map(|host| address(host, port));
        Ok(Self {
            user: given(user, "user name")?,
            password: given(password, "password")?,
            hosts: hosts.collect::<Option<_>>().ok_or(
                "the Redis URL has a host that is none: expected host[:port], separated by commas, with a / in a \
                 password written as %2F",
            )?,
            path,
            query,
        })
    }
}

fn decoded(text: &str, what: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map_or_else(
        |_| Err(format!("the {what} in the Redis URL is not UTF-8")),
        |text| Ok(text.into_owned()),
    )
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(super) fn address(text: &str, port: u16) -> Option<Address> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) => digits.parse().ok().filter(|port| *port > 0)?,
        None if rest.is_empty() => port,
        None => return None,
    };
    let known = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
    (!host.is_empty() && host.chars().all(known)).then(|| Address {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn hosts(place: &Place) -> Vec<String> {
        let of = |server: &Target| server.client().get_connection_info().addr().to_string();
        match place {
            Place::Server(server) => vec![of(server)],
            Place::Sentinel { sentinels, .. } => sentinels.iter().map(of).collect(),
            Place::Cluster { seeds, .. } => seeds.iter().map(ToString::to_string).collect(),
        }
    }

    #[rstest]
    #[case("redis://h", &["h:6379"])]
    #[case("rediss://u:p@h:1/2", &["h:1"])]
    #[case("redis+sentinel://a,b:1,[::1]:2/main", &["a:26379", "b:1", "::1:2"])]
    #[case("rediss+sentinel://:p@a/main/3?sentinel_username=u&sentinel_password=s%26", &["a:26379"])]
    #[case("redis+cluster://u:p%2F,@a,b:1,[::1]", &["a:6379", "b:1", "[::1]:6379"])]
    #[case("rediss+cluster://a/0", &["a:6379"])]
    fn what_is_meant_is_read(#[case] url: &str, #[case] expected: &[&str]) {
        assert_eq!(hosts(&parse(url, &RedisTls::default()).ok().unwrap()), expected);
    }

    #[test]
    fn credentials_go_where_they_belong() {
        let url = "redis+sentinel://u:p%40@a/ma%20in/3?sentinel_username=su&sentinel_password=s%26";
        let Ok(Place::Sentinel {
            sentinels,
            master,
            login,
        }) = parse(url, &RedisTls::default())
        else {
            panic!("it is well-formed")
        };
        assert_eq!(master, "ma in");
        let server = &login.settings;
        let of_server = (server.username(), server.password(), server.db());
        assert_eq!(of_server, (Some("u"), Some("p@"), 3));
        let sentinel = sentinels[0].client().get_connection_info().redis_settings();
        assert_eq!(
            (sentinel.username(), sentinel.password()),
            (Some("su"), Some("s&"))
        );
    }

    #[rstest]
    #[case("pa55word")]
    #[case("http://u:pa55word@h")]
    #[case("redis://u:pa55word@h:port")]
    #[case("redis+sentinel://u:pa55word@h")]
    #[case("redis+sentinel://u:pa55/word@h/main")]
    #[case("redis+sentinel://u:pa55word@h/main/x")]
    #[case("redis+sentinel://u:pa55word@h/main/-1")]
    #[case("redis+sentinel://u:pa55word@h/main/0/1")]
    #[case("redis+sentinel://h/main?password=pa55word")]
    #[case("redis+sentinel://u:pa55word#@h/main")]
    #[case("redis+sentinel://u:pa55word@/main")]
    #[case("redis+cluster://u:pa55word@")]
    #[case("redis+cluster://u:pa55word@a,,b")]
    #[case("redis+cluster://u:pa55word@a:0")]
    #[case("redis+cluster://u:pa55word@a:70000")]
    #[case("redis+cluster://u:pa55word@a/1")]
    #[case("redis+cluster://u:pa55word@a?x=1")]
    #[case("redis+cluster://u:%ff@a")]
    fn what_is_wrong_is_said_without_the_password(#[case] url: &str) {
        let problem = parse(url, &RedisTls::default()).err().unwrap();
        assert!(
            problem.contains("the Redis URL") && !problem.contains("pa55"),
            "{problem}"
        );
    }
}
