//! The clients and streams that the runner has names for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chatbridge_client::{Backoff, Client, Content, StreamOptions, v1};
use futures_util::future::{BoxFuture, FutureExt as _};
use prost::Message as _;

use crate::{
    answer::{self, Wrong, decode},
    cursor_file::CursorFile,
    dispatch,
    protocol::{self, request::Command, response::Result as Answer},
    streams::Stream,
};

#[derive(Default)]
pub(crate) struct World {
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    clients: HashMap<String, (Client, Arc<Mutex<String>>)>,
    streams: HashMap<String, Stream>,
}

impl World {
    /// Begins a command: what it names is looked up now, and the rest is the future.
    pub(crate) fn start(&self, command: Option<Command>) -> BoxFuture<'static, Answer> {
        self.begin(command)
            .unwrap_or_else(|Wrong(what)| std::future::ready(Answer::Failure(what)).boxed())
    }

    fn begin(&self, command: Option<Command>) -> Result<BoxFuture<'static, Answer>, Wrong> {
        Ok(
            match command.ok_or_else(|| Wrong("the request has no command".to_owned()))? {
                Command::OpenClient(open) => {
                    let answer = self.open(open);
                    std::future::ready(answer).boxed()
                }
                Command::CloseClient(close) => {
                    let (client, _) = self
                        .names()
                        .clients
                        .remove(&close.client)
                        .ok_or_else(|| Wrong::unknown(&close.client))?;
                    async move {
                        client.close().await;
                        answer::done()
                    }
                    .boxed()
                }
                Command::SetToken(set) => {
                    let names = self.names();
                    let (_, token) = names
                        .clients
                        .get(&set.client)
                        .ok_or_else(|| Wrong::unknown(&set.client))?;
                    *token.lock().unwrap_or_else(PoisonError::into_inner) = set.token;
                    std::future::ready(answer::done()).boxed()
                }
                Command::Call(call) => {
                    let client = limited(self.client(&call.client)?, call.timeout);
                    async move {
                        answer::of(
                            dispatch::call(&client, &call.method, call.request).await,
                            answer::response,
                        )
                    }
                    .boxed()
                }
                Command::Upload(upload) => upload_file(self.client(&upload.client)?, upload).boxed(),
                Command::Download(download) => {
                    download_file(self.client(&download.client)?, download.request).boxed()
                }
                Command::HandOver(hand_over) => {
                    hand_customer_over(self.client(&hand_over.client)?, hand_over).boxed()
                }
                Command::OpenStream(open) => {
                    let answer = self.open_stream(open);
                    std::future::ready(answer).boxed()
                }
                Command::Take(take) => self.stream(&take.stream)?.take(take).boxed(),
                Command::Change(change) => {
                    let (stream, request) = (self.stream(&change.stream)?, decode(change.request)?);
                    async move { answer::of(stream.change(request).await, |()| answer::done()) }.boxed()
                }
                Command::CloseStream(close) => {
                    let stream = self.stream(&close.stream)?;
                    async move { answer::of(Ok(stream.close().await), |()| answer::done()) }.boxed()
                }
                Command::Commit(commit) => {
                    let client = self.client(&commit.client)?;
                    let request = v1::CommitCursorRequest {
                        subscription: commit.subscription,
                        cursor: commit.cursor,
                        ..Default::default()
                    };
                    async move {
                        let committed = client.commit_cursor(request).await;
                        answer::of(Ok(committed), |response| {
                            answer::response(response.encode_to_vec())
                        })
                    }
                    .boxed()
                }
                Command::Iterate(iterate) => {
                    let client = self.client(&iterate.client)?;
                    async move {
                        let items = dispatch::iterate(&client, &iterate.method, iterate.request).await;
                        answer::of(items, |items| Answer::Pages(protocol::Pages { items }))
                    }
                    .boxed()
                }
            },
        )
    }

    /// Closes what the runner left open.
    pub(crate) async fn close(&self) {
        let clients = std::mem::take(&mut self.names().clients);
        for (client, _) in clients.into_values() {
            client.close().await;
        }
    }

    fn open(&self, open: protocol::OpenClient) -> Answer {
        let token = Arc::new(Mutex::new(open.token.clone()));
        let mut targets = if open.targets.is_empty() {
            vec![open.target]
        } else {
            open.targets
        }
        .into_iter();
        let mut builder = Client::builder(targets.next().unwrap_or_default()).tenant(open.tenant);
        for target in targets {
            builder = builder.also(target);
        }
        if !open.token.is_empty() {
            let token = Arc::clone(&token);
            builder = builder.token_function(move || {
                let now = token.lock().unwrap_or_else(PoisonError::into_inner).clone();
                async move { Ok(now) }
            });
        }
        builder = if open.ca_pem.is_empty() {
            builder.cleartext()
        } else {
            builder.authorities(open.ca_pem)
        };
        if !open.certificate_pem.is_empty() {
            builder = builder.certificate(open.certificate_pem, open.key_pem);
        }
        if let Some(timeout) = duration(open.timeout) {
            builder = builder.timeout(timeout);
        }
        if let Ok(attempts @ 1..) = u32::try_from(open.attempts) {
            let between = Backoff {
                initial: Duration::from_millis(100),
                maximum: Duration::from_secs(2),
            };
            builder = builder.attempts(attempts, between);
        }
        answer::of(Ok(builder.connect_lazy()), |client| {
            self.names().clients.insert(open.client, (client, token));
            answer::done()
        })
    }

    fn open_stream(&self, open: protocol::OpenStream) -> Answer {
        let opened = self
            .client(&open.client)
            .and_then(|client| Ok((client, decode(open.request)?)));
        let (client, request): (Client, v1::AgentEventsRequest) = match opened {
            Ok(opened) => opened,
            Err(Wrong(what)) => return Answer::Failure(what),
        };
        let plain = open.buffer == 0 && !open.without_resume && open.cursor_file.is_empty();
        let mut options = StreamOptions::default();
        if open.without_resume {
            options = options.without_resume();
        }
        if let Ok(buffer @ 1..) = usize::try_from(open.buffer) {
            options = options.buffer(buffer);
        }
        if !open.cursor_file.is_empty() {
            options = options.cursor_hooks(CursorFile(open.cursor_file.into()));
        }
        let simple = v1::AgentEventsRequest {
            subscription: request.subscription.clone(),
            ..Default::default()
        };
        let events = if plain && !request.subscription.is_empty() && request == simple {
            client.subscription_events(request.subscription)
        } else {
            client.agent_events_with(request, options)
        };
        self.names().streams.insert(open.stream, Stream::new(events));
        answer::done()
    }

    fn client(&self, name: &str) -> Result<Client, Wrong> {
        self.names()
            .clients
            .get(name)
            .map(|(client, _)| client.clone())
            .ok_or_else(|| Wrong::unknown(name))
    }

    fn stream(&self, name: &str) -> Result<Stream, Wrong> {
        self.names()
            .streams
            .get(name)
            .cloned()
            .ok_or_else(|| Wrong::unknown(name))
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn duration(told: Option<prost_types::Duration>) -> Option<Duration> {
    told.and_then(|told| told.try_into().ok())
}

fn limited(client: Client, timeout: Option<prost_types::Duration>) -> Client {
    match duration(timeout) {
        Some(timeout) => client.with_timeout(timeout),
        None => client,
    }
}

async fn upload_file(client: Client, upload: protocol::Upload) -> Answer {
    let start = match decode(upload.start) {
        Ok(start) => start,
        Err(Wrong(what)) => return Answer::Failure(what),
    };
    let uploaded = client
        .upload_attachment(start, Content::bytes(upload.content))
        .await;
    answer::of(Ok(uploaded), |response| {
        answer::response(response.encode_to_vec())
    })
}

async fn download_file(client: Client, request: Bytes) -> Answer {
    let downloaded = async {
        let download = client.download_attachment(decode(request)?).await;
        Ok(match download {
            Ok(download) => {
                let start = download.attachment().encode_to_vec().into();
                download
                    .bytes()
                    .await
                    .map(|content| protocol::Downloaded { content, start })
            }
            Err(error) => Err(error),
        })
    };
    answer::of(downloaded.await, Answer::Downloaded)
}

async fn hand_customer_over(client: Client, hand_over: protocol::HandOver) -> Answer {
    let handed = async {
        let start = decode(hand_over.start)?;
        let mut files = Vec::new();
        for file in hand_over.files {
            files.push((decode(file.start)?, Content::bytes(file.content)));
        }
        Ok(client.hand_over_conversation(start, files).await)
    };
    answer::of(handed.await, |response| {
        answer::response(response.encode_to_vec())
    })
}
