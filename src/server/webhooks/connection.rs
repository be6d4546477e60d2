//! One connection to the webhook door, from its handshake to its end.

use std::{
    convert::Infallible,
    io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};
use http_body::Body as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::debug;

use crate::{
    tls::Wire,
    webhook::{Refusal, Seat, ingress::Came, seats::Overdue},
};

/// The largest head of a request, in bytes; the vendor's are below 2 KiB, and a proxy adds some. It is also how much of a body
/// is read ahead.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long telling somebody that he was too slow may take.
const FAREWELL: Duration = Duration::from_secs(1);
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Serves a connection to its end.
pub(super) async fn serve(
    wire: Wire,
    peer: IpAddr,
    seat: Seat,
    counter: &'static str,
    app: Router,
    stop: CancellationToken,
) {
    let noted = Noted { counter, peer };
    let seat = Arc::new(seat);
    let mut wire = Heard {
        wire,
        seat: Arc::clone(&seat),
        heard_any: false,
    };
    tokio::select! {
        secured = wire.wire.secured() => if secured.is_err() { return },
        _ = seat.overdue() => return noted.refused(Refusal::HeadTimeout),
        () = seat.cut() => return,
        () = stop.cancelled() => return,
    }
    let came = Came {
        peer,
        seat: Arc::clone(&seat),
    };
    let service = service_fn(move |request| answer(app.clone(), came.clone(), request));
    let mut connection = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        // It takes at most 100 lines, which is the library's own limit: any other costs it an allocation for each request.
        // The seat knows a silence from a head that does not come.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(wire), service);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = seat.cut() => return,
        why = seat.overdue() => return give_up(why, connection, noted).await,
        () = stop.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                ended = &mut connection => ended,
                () = seat.cut() => return,
                why = seat.overdue() => return give_up(why, connection, noted).await,
            }
        }
    };
    if let Err(error) = ended {
        noted.ended(&error);
    }
}

async fn answer(app: Router, came: Came, request: Request<Incoming>) -> Result<Response, Infallible> {
    let seat = Arc::clone(&came.seat);
    seat.begin();
    if request.body().is_end_stream() {
        seat.work();
    }
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(came);
    let mut answer = app.oneshot(request).await?;
    if !seat.done() {
        // What is left of the body is not read, so nobody should send another request behind it.
        answer
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}

/// Counts and logs requests that never became one.
#[derive(Clone, Copy)]
struct Noted {
    counter: &'static str,
    peer: IpAddr,
}

impl Noted {
    fn refused(self, refusal: Refusal) {
        let (reason, peer) = (refusal.reason(), self.peer);
        metrics::counter!(self.counter, "result" => reason).increment(1);
        debug!(address = %peer, reason, "a connection was closed");
    }

    /// What was answered before it became a request.
    fn ended(self, error: &hyper::Error) {
        if error.is_parse_too_large() {
            self.refused(Refusal::HeadTooLarge);
        } else if error.is_parse() {
            self.refused(Refusal::MalformedRequest);
        } else {
            debug!(address = %self.peer, %error, "a connection broke");
        }
    }
}

/// Ends a connection that has been waited for too long. One that is merely silent after a request is closed without a word;
/// it may be about to send another, and would take any for the answer.
async fn give_up<S>(why: Overdue, connection: http1::Connection<TokioIo<Heard>, S>, noted: Noted)
where
    S: hyper::service::HttpService<Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::ResBody: hyper::body::Body + 'static,
    <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if why == Overdue::Idle {
        return;
    }
    let mut wire = connection.into_parts().io.into_inner();
    // One that never said anything asked for nothing.
    if wire.heard_any {
        noted.refused(Refusal::HeadTimeout);
        let farewell = async {
            wire.write_all(TOO_SLOW).await?;
            wire.shutdown().await
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// A connection that tells its seat when something comes.
struct Heard {
    wire: Wire,
    seat: Arc<Seat>,
    heard_any: bool,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.wire).poll_read(context, buf);
        if buf.filled().len() > before {
            self.heard_any = true;
            self.seat.heard();
        }
        read
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}
