//! Sentinels that disagree about the master.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chatbridge::store::{Appended, Retention, Store as _, StoreError, redis::RedisStore};
use redis::cmd;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::fixture::{conversation, event, eventually, settings_of};
use crate::support::redis::RedisServer;

/// What a Sentinel says.
struct Says {
    port: String,
    epoch: u64,
    /// Whether it says nothing.
    silent: AtomicBool,
}

/// Something that answers as a Sentinel; its address.
async fn sentinel(master: &RedisServer, epoch: u64) -> (String, Arc<Says>) {
    let says = Arc::new(Says {
        port: master.url().rsplit(':').next().unwrap().to_owned(),
        epoch,
        silent: AtomicBool::new(false),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answers = says.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answers.clone()));
        }
    });
    (address, says)
}

async fn serve(stream: TcpStream, says: Arc<Says>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    // Whoever left something unanswered does not answer the next: the other end would take it for the answer that is missing.
    let mut silent = false;
    loop {
        let words = words(&mut stream).await?;
        silent |= says.silent.load(Ordering::Relaxed);
        if silent {
            continue;
        }
        let (port, epoch) = (&says.port, says.epoch.to_string());
        let answer = match (words[0].as_str(), words.get(1).map(String::as_str)) {
            ("HELLO", _) => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
            ("SENTINEL", Some("MASTER")) => {
                format!("%1\r\n$12\r\nconfig-epoch\r\n${}\r\n{epoch}\r\n", epoch.len())
            }
            ("SENTINEL", _) => format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len()),
            _ => "+OK\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// The words of a command.
async fn words(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let number = async |stream: &mut BufReader<TcpStream>| -> Option<usize> {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        line.trim_end().get(1..)?.parse().ok()
    };
    let mut words = Vec::new();
    for _ in 0..number(stream).await? {
        let mut word = vec![0; number(stream).await? + 2];
        stream.read_exact(&mut word).await.ok()?;
        word.truncate(word.len() - 2);
        words.push(String::from_utf8(word).ok()?.to_ascii_uppercase());
    }
    Some(words)
}

async fn keys(server: &RedisServer) -> i64 {
    let mut past = server.connection().await;
    cmd("DBSIZE").query_async(&mut past).await.unwrap()
}

#[tokio::test]
async fn one_that_has_not_heard_of_the_failover_is_not_believed() {
    let (old, new) = (RedisServer::start(), RedisServer::start());
    let (stale, _) = sentinel(&old, 0).await;
    let (fresh, says) = sentinel(&new, 1).await;
    let url = format!("redis+sentinel://{stale},{fresh}/main");
    let settings = settings_of(&url, "test", Retention::default());
    let store = RedisStore::connect(settings).await.unwrap();
    let key = conversation("c");
    store.append(&event(&key, "e1")).await.unwrap();
    assert_eq!(keys(&old).await, 0);

    // Only the other one answers, and there is no connection left.
    says.silent.store(true, Ordering::Relaxed);
    let mut past = new.connection().await;
    let () = cmd("CLIENT")
        .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
        .query_async(&mut past)
        .await
        .unwrap();
    let refused = eventually("its being asked", async || {
        store.append(&event(&key, "e2")).await.err()
    })
    .await;
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    for _ in 0..3 {
        assert!(store.append(&event(&key, "e2")).await.is_err());
    }
    assert_eq!(keys(&old).await, 0, "nothing went to the old master");

    says.silent.store(false, Ordering::Relaxed);
    let after = eventually("getting over it", async || {
        store.append(&event(&key, "e2")).await.ok()
    })
    .await;
    assert!(matches!(
        after,
        Appended::New { sequence: 2, .. } | Appended::Duplicate
    ));
    assert_eq!(keys(&old).await, 0);
}
