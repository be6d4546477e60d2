//! Stands between the service and an upstream: writes down each request, and does to some what networks and vendors do.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What the upstream answered, where it was forwarded.
    pub status: Option<u16>,
    pub answer: Vec<u8>,
    /// Whether the service hung up while it waited for a held answer.
    pub hung_up: bool,
}

impl Seen {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with this, and never reaches the upstream.
    Answer {
        status: u16,
        headers: &'static str,
        body: String,
    },
    /// The connection is reset before the upstream hears of it.
    ResetBefore,
    /// The upstream acts on it, and the connection is reset in place of the answer.
    ResetAfter,
    /// The upstream acts on it, and half of the answer comes back.
    HalfAnswer,
    /// The upstream acts on it, and this many bytes of the letter `x` come back in place of its answer, with its status.
    Flood(usize),
    /// The upstream acts on it, and its answer comes back at one byte a second.
    Drip,
    /// The upstream acts on it, and its answer is held back for as long as the service waits.
    Hold,
    /// The upstream acts on it, and its status comes back with this body.
    Body(&'static str),
}

type Rule = Box<dyn Fn(&Seen) -> Option<Fault> + Send>;

struct Shared {
    upstream: String,
    client: reqwest::Client,
    seen: Mutex<Vec<Seen>>,
    rule: Mutex<Rule>,
}

impl Shared {
    /// Adds to what was seen, unless it was handed out meanwhile.
    fn note(&self, place: usize, add: impl FnOnce(&mut Seen)) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.get_mut(place) {
            add(seen);
        }
    }
}

/// A proxy that runs until it is dropped.
pub struct Proxy {
    pub url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts one in front of an upstream.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            seen: Mutex::new(Vec::new()),
            rule: Mutex::new(Box::new(|_| None)),
        });
        let own = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // That one side hangs up is what it is for.
                tokio::spawn(connection(stream, Arc::clone(&own)));
            }
        });
        Self { url, shared, task }
    }

    /// From now on, this decides what happens to a request.
    pub fn rule(&self, rule: impl Fn(&Seen) -> Option<Fault> + Send + 'static) {
        *self.shared.rule.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(rule);
    }

    /// Lets everything through again.
    pub fn calm(&self) {
        self.rule(|_| None);
    }

    /// Whether something like this was seen since it was last handed out.
    pub fn saw(&self, what: impl Fn(&Seen) -> bool) -> bool {
        let seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().any(what)
    }

    /// Hands out what was seen since the last time.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await? {
        let fault = (shared.rule.lock().unwrap_or_else(PoisonError::into_inner))(&request);
        let place = {
            let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(request.clone());
            seen.len() - 1
        };
        match fault {
            Some(Fault::Answer {
                status,
                headers,
                body,
            }) => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await?;
                // A status without content has no body, whatever its length is said to be.
                stream.write_all(body.as_bytes()).await?;
                continue;
            }
            Some(Fault::ResetBefore) => return stream.into_inner().set_zero_linger(),
            _ => {}
        }
        let answer = forward(&shared, &request).await?;
        shared.note(place, |seen| {
            seen.status = Some(answer.status);
            seen.answer.clone_from(&answer.body);
        });
        if matches!(fault, Some(Fault::Hold)) {
            let mut byte = [0];
            let ended = !matches!(stream.read(&mut byte).await, Ok(n) if n > 0);
            shared.note(place, |seen| seen.hung_up = ended);
            return Ok(());
        }
        if !reply(&mut stream, answer, fault).await? {
            return stream.into_inner().set_zero_linger();
        }
    }
    Ok(())
}

struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

/// Gives the answer back, or what the fault makes of it; false where the connection is to be reset.
async fn reply(stream: &mut BufReader<TcpStream>, answer: Answer, fault: Option<Fault>) -> io::Result<bool> {
    let Answer {
        status,
        headers,
        mut body,
    } = answer;
    match &fault {
        Some(Fault::ResetAfter) => return Ok(false),
        Some(Fault::Flood(size)) => body = vec![b'x'; *size],
        Some(Fault::Body(text)) => body = text.as_bytes().to_vec(),
        // So that there is something to cut, or to wait for.
        Some(Fault::HalfAnswer | Fault::Drip) if body.is_empty() => body = b"{\"nothing\": true}".to_vec(),
        _ => {}
    }
    // A status that has no body cannot be given one.
    let status = if status == 204 && fault.is_some() {
        202
    } else {
        status
    };
    let length = if status == 204 {
        String::new()
    } else {
        format!("content-length: {}\r\n", body.len())
    };
    let head = format!("HTTP/1.1 {status} X\r\n{headers}{length}\r\n");
    stream.write_all(head.as_bytes()).await?;
    match fault {
        Some(Fault::HalfAnswer) => {
            stream.write_all(&body[..body.len() / 2]).await?;
            stream.flush().await?;
            stream.get_mut().shutdown().await?;
            return Ok(false);
        }
        Some(Fault::Drip) => {
            for byte in body {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        _ => stream.write_all(&body).await?,
    }
    stream.flush().await?;
    Ok(true)
}

async fn forward(shared: &Shared, request: &Seen) -> io::Result<Answer> {
    let method = request.method.parse::<reqwest::Method>().unwrap();
    let mut out = shared
        .client
        .request(method, format!("{}{}", shared.upstream, request.target));
    for (name, value) in &request.headers {
        if !["host", "content-length", "connection"].contains(&name.as_str()) {
            out = out.header(name, value);
        }
    }
    let answer = out
        .body(request.body.clone())
        .send()
        .await
        .map_err(io::Error::other)?;
    let headers: String = answer
        .headers()
        .iter()
        .filter(|(name, _)| !["content-length", "transfer-encoding", "connection"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
        .collect();
    Ok(Answer {
        status: answer.status().as_u16(),
        headers,
        body: answer.bytes().await.map_err(io::Error::other)?.to_vec(),
    })
}

/// Reads a request with its body; `None` where the client hung up in between.
async fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Seen>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) if head.is_empty() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    assert!(
        !headers.iter().any(|(name, _)| name == "transfer-encoding"),
        "the service knows how long its bodies are"
    );
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(Seen {
        method: first.next().unwrap_or_default().to_owned(),
        target: first.next().unwrap_or_default().to_owned(),
        headers,
        body,
        status: None,
        answer: Vec::new(),
        hung_up: false,
    }))
}
