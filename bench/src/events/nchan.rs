//! Nchan, a publish-and-subscribe server in nginx, with Redis in its durable mode: what is published is acknowledged once it is in
//! Redis, in the channel's buffer.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::{
    listen::Door,
    process::{Process, STARTS_WITHIN, free_address},
    webhook::CHANNEL,
};
use crate::Result;

/// Where distributions put nginx's modules.
const MODULES: [&str; 3] = [
    "/usr/lib/nginx/modules",
    "/usr/lib64/nginx/modules",
    "/usr/share/nginx/modules",
];

/// Answers after which all workers are taken to be ready.
const ANSWERS_IN_A_ROW: usize = 20;

/// The version of nginx, or why Nchan cannot be had.
pub(crate) fn version() -> std::result::Result<String, String> {
    let told = nginx().arg("-v").output();
    let told = told.map_err(|error| format!("nginx cannot be run ({error})"))?;
    module().ok_or("nginx's module Nchan is not installed (Debian: libnginx-mod-nchan)")?;
    let text = String::from_utf8_lossy(&told.stderr).trim().to_owned();
    Ok(text.rsplit('/').next().unwrap_or_default().to_owned())
}

fn module() -> Option<PathBuf> {
    let mut places = MODULES
        .iter()
        .map(|dir| Path::new(dir).join("ngx_nchan_module.so"));
    places.find(|module| module.exists())
}

fn nginx() -> Command {
    // Debian's is where only root looks.
    let known = Path::new("/usr/sbin/nginx");
    Command::new(if known.exists() { known } else { Path::new("nginx") })
}

/// Starts it.
pub(crate) async fn start(dir: &Path, redis: &str) -> Result<(Process, SocketAddr, Door)> {
    let module = module().ok_or("the module is gone")?;
    let address = free_address()?;
    let file = dir.join("nginx.conf");
    let (limit, _) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?;
    let user = if nix::unistd::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    let (module, dir) = (module.display(), dir.display());
    let connections = limit.min(100_000);
    fs::write(
        &file,
        format!(
            "load_module {module};
daemon off;
{user}
worker_processes auto;
pid {dir}/nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    tcp_nodelay on;
    nchan_shared_memory_size 512M;
    upstream store {{
        nchan_redis_server {redis};
        nchan_redis_storage_mode distributed;
    }}
    server {{
        listen {address};
        location ~ ^/pub/(.+)$ {{
            nchan_publisher;
            nchan_channel_id $1;
            nchan_redis_pass store;
            nchan_message_buffer_length 100000;
            nchan_message_timeout 1h;
        }}
        location ~ ^/sub/(.+)$ {{
            nchan_subscriber eventsource;
            nchan_channel_id $1;
            nchan_redis_pass store;
            nchan_subscriber_first_message newest;
        }}
    }}
}}
"
        ),
    )?;
    let mut command = nginx();
    command.arg("-e").arg("stderr").arg("-c").arg(&file);
    let mut process = Process::start("nginx", &mut command)?;
    process.listens(address).await?;
    connected(address).await?;
    Ok((process, address, Door::Events(address, format!("/sub/{CHANNEL}"))))
}

/// Waits until the workers are connected to Redis: until then they refuse. Which of them answers is a matter of chance.
async fn connected(address: SocketAddr) -> Result<()> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()?;
    let begun = Instant::now();
    let mut in_a_row = 0;
    while in_a_row < ANSWERS_IN_A_ROW {
        let posted = client
            .post(format!("http://{address}/pub/ready"))
            .body("ready")
            .send()
            .await;
        if posted.is_ok_and(|answer| answer.status().is_success()) {
            in_a_row += 1;
            continue;
        }
        if begun.elapsed() > STARTS_WITHIN {
            return Err("Nchan did not connect to Redis".into());
        }
        in_a_row = 0;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
