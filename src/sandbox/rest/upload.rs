//! `/conversations/{id}/attachments`, for adding.

mod inflow;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{
        FromRequest as _, Multipart, Path, Request, State,
        multipart::{Field, MultipartError},
    },
    http::StatusCode,
    response::Response,
};

use self::inflow::{Gauge, Inflow};
use super::{
    attachments, hal,
    problem::{Fault, Problem},
    validate::{self, Findings},
};
use crate::sandbox::{
    Inner,
    files::{FileError, Files, StoredFile},
    floor::{content::Attachment, conversation::Author},
    new_id, now_ms,
};

/// How much of a body is read at most: more than a file may have, so that the sender of one that is too large gets to read
/// the answer.
pub(super) const BODY_BYTES: usize = 400 << 20;
/// How long the rest of a body that is refused is read for the same reason.
const PATIENCE: Duration = Duration::from_secs(20);
const MEDIA_TYPE_BYTES: usize = 256;
const WORD_BYTES: usize = 64;

/// What an upload brought.
struct Received {
    name: String,
    media_type: String,
    file: StoredFile,
    author: Author,
}

/// Adds a file, to which messages can refer from then on.
pub(super) async fn add(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let gauge = Gauge::default();
    let request = request.map(|body| Body::from_stream(Inflow::new(body, gauge.clone())));
    let parts = Multipart::from_request(request, &()).await;
    let mut parts = parts.map_err(|_| {
        let fault = Fault::new("unsupported_media_type", "The body must be multipart/form-data.");
        Problem::general(StatusCode::UNSUPPORTED_MEDIA_TYPE, &fault)
    })?;
    let received = match inner.floor(|floor| floor.conversation(&id).is_some()) {
        true => receive(&inner.files, &mut parts, &gauge).await,
        false => Err(Problem::no_conversation(&id)),
    };
    let received = match received {
        Ok(received) => received,
        Err(problem) => {
            drain(parts, &gauge).await;
            return Err(problem);
        }
    };
    let attachment = Arc::new(Attachment {
        id: new_id(),
        name: received.name,
        media_type: received.media_type,
        author: received.author,
        created_ms: now_ms(),
        file: received.file,
    });
    let answer = attachments::to_json(&attachment);
    let added = inner.floor(|floor| floor.act(&id, |scene| scene.conversation.attachments.push(attachment)));
    added.ok_or_else(|| Problem::no_conversation(&id))?;
    Ok(hal(StatusCode::OK, &answer))
}

async fn receive(files: &Files, parts: &mut Multipart, gauge: &Gauge) -> Result<Received, Problem> {
    let mut attachment = None;
    let mut author = None;
    loop {
        gauge.head();
        let part = parts
            .next_field()
            .await
            .map_err(|why| match gauge.is_too_long() {
                true => refuse("invalid_part", "The head of a part is too long."),
                false => broken(&why),
            })?;
        gauge.content();
        let Some(part) = part else {
            break;
        };
        match part.name() {
            Some("attachment") if attachment.is_none() => attachment = Some(store(files, part).await?),
            Some("authorType") if author.is_none() => author = Some(author_type(part).await?),
            _ => {
                let why = "The parts are one attachment and at most one authorType.";
                return Err(refuse("invalid_part", why));
            }
        }
    }
    let (name, media_type, file) =
        attachment.ok_or_else(|| refuse("missing_field", "The part attachment is required."))?;
    Ok(Received {
        name,
        media_type,
        file,
        author: author.unwrap_or(Author::User),
    })
}

async fn store(files: &Files, mut part: Field<'_>) -> Result<(String, String, StoredFile), Problem> {
    let name = part.file_name().unwrap_or_default().to_owned();
    if !validate::is_filename(&name) {
        let why =
            "The attachment needs a filename of at most 255 bytes, without slashes and control characters.";
        return Err(refuse("invalid_filename", why));
    }
    let media_type = part
        .content_type()
        .unwrap_or("application/octet-stream")
        .to_owned();
    if media_type.len() > MEDIA_TYPE_BYTES {
        let why = "The Content-Type of the attachment may have at most 256 bytes.";
        return Err(refuse("invalid_type", why));
    }
    let mut upload = files.begin().await.map_err(|why| unkept(&why))?;
    while let Some(bytes) = part.chunk().await.map_err(|why| broken(&why))? {
        upload.write(&bytes).await.map_err(|why| unkept(&why))?;
    }
    let file = upload.finish().await.map_err(|why| unkept(&why))?;
    if file.size() == 0 {
        return Err(refuse("empty_attachment", "The attachment must not be empty."));
    }
    Ok((name, media_type, file))
}

async fn author_type(mut part: Field<'_>) -> Result<Author, Problem> {
    let mut word = Vec::new();
    while let Some(bytes) = part.chunk().await.map_err(|why| broken(&why))? {
        word.extend_from_slice(&bytes[..bytes.len().min(WORD_BYTES)]);
        if word.len() > WORD_BYTES {
            break;
        }
    }
    let word = String::from_utf8_lossy(&word);
    validate::author(Some(&word), "authorType", &mut Findings::default())
        .ok_or_else(|| refuse("invalid_author_type", "The authorType must be user or bot."))
}

/// Reads what still comes: a connection that is closed earlier may cost the sender the answer.
async fn drain(mut parts: Multipart, gauge: &Gauge) {
    gauge.discard();
    let rest = async { while let Ok(Some(_)) = parts.next_field().await {} };
    // Who is slower than that loses it.
    let _ = tokio::time::timeout(PATIENCE, rest).await;
}

fn refuse(code: &'static str, why: &str) -> Problem {
    Problem::general(StatusCode::BAD_REQUEST, &Fault::new(code, why))
}

fn broken(why: &MultipartError) -> Problem {
    let fault = Fault::new("unreadable_body", "The body is too large, broken, or broke off.");
    Problem::general(why.status(), &fault)
}

fn unkept(why: &FileError) -> Problem {
    let status = match why {
        FileError::TooLarge(_) | FileError::Full(_) => StatusCode::PAYLOAD_TOO_LARGE,
        FileError::Disk(error) => {
            tracing::warn!(%error, "the sandbox cannot keep a file");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    Problem::general(status, &Fault::new("attachment_not_kept", why.to_string()))
}
