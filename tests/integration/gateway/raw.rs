//! A server that speaks bytes, so that it can misbehave below HTTP.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A server that hands each connection to a function.
pub(super) struct Raw {
    pub(super) base: String,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
    written: AtomicUsize,
}

impl Raw {
    pub(super) async fn start<F, Fut>(serve: F) -> Self
    where
        F: Fn(Peer) -> Fut + Send + 'static,
        Fut: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let counts = Arc::clone(&shared);
                // That the client hangs up is what these tests are about.
                tokio::spawn(serve(Peer { stream, counts }));
            }
        });
        Self { base, counts, task }
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// How many requests were read whole.
    pub(super) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    /// How many bytes the client, or the system on its behalf, took.
    pub(super) fn written(&self) -> usize {
        self.counts.written.load(Ordering::SeqCst)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The server's end of a connection.
pub(super) struct Peer {
    pub(super) stream: TcpStream,
    counts: Arc<Counts>,
}

impl Peer {
    /// Reads a request with its body.
    pub(super) async fn read_request(&mut self) -> io::Result<()> {
        let head = self.read_head().await?;
        let mut body = vec![0; content_length(&head)];
        self.stream.read_exact(&mut body).await?;
        self.counts.requests.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Reads a request up to its body.
    pub(super) async fn read_head(&mut self) -> io::Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await?);
        }
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.counts.written.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    }

    /// Closes with a reset, without a farewell.
    pub(super) fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    /// Waits until the client hangs up.
    pub(super) async fn wait_for_end(&mut self) {
        let mut rest = [0; 1024];
        while matches!(self.stream.read(&mut rest).await, Ok(n) if n > 0) {}
    }
}

/// How long a request's body is.
pub(super) fn content_length(head: &str) -> usize {
    head.to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0)
}
