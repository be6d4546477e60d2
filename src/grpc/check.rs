//! Collects what is wrong with a request, so that one answer names all of it.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use prost_types::Timestamp;
use url::Url;

use crate::{
    error::{Error, VIOLATIONS_MAX, Violation},
    event::AuthorType,
    grpc::proto,
    tenant::Tenant,
};

/// The longest identifier of the vendor's, in bytes.
pub(super) const ID_BYTES_MAX: usize = 256;
/// The longest identifier of a file: the vendor's are long.
pub(super) const ATTACHMENT_ID_BYTES_MAX: usize = 1024;
const URI_BYTES_MAX: usize = 2048;
const FILE_NAME_BYTES_MAX: usize = 255;
const MEDIA_TYPE_BYTES_MAX: usize = 256;
/// What a file is where nobody says.
const MEDIA_TYPE_DEFAULT: &str = "application/octet-stream";
/// The last second of the year 9999, as far as a timestamp of protobuf goes.
const SECONDS_MAX: i64 = 253_402_300_799;

/// What is wrong with a request.
#[derive(Debug, Default)]
pub(super) struct Check(Vec<Violation>);

impl Check {
    /// Notes a mistake. As many as an error can name are kept.
    pub(super) fn fail(&mut self, field: &str, problem: impl Into<String>) {
        if self.0.len() < VIOLATIONS_MAX {
            self.0.push(Violation::new(field, problem));
        }
    }

    /// What passed, or all mistakes.
    pub(super) fn done<T>(self, value: T) -> Result<T, Error> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(Error::Invalid(self.0))
        }
    }

    /// The tenant of a request that passed, or all mistakes, that of not naming a tenant among them.
    pub(super) fn of_tenant(self, tenant: Result<Tenant, Error>) -> Result<Tenant, Error> {
        self.of_tenant_at("tenant", tenant)
    }

    /// The same where the request has its tenant in another field.
    pub(super) fn of_tenant_at(
        mut self,
        field: &str,
        tenant: Result<Tenant, Error>,
    ) -> Result<Tenant, Error> {
        match tenant {
            Ok(tenant) => self.done(tenant),
            Err(Error::Invalid(named)) => {
                let mut all: Vec<Violation> = named
                    .into_iter()
                    .map(|violation| Violation::new(field, violation.problem))
                    .collect();
                all.append(&mut self.0);
                all.truncate(VIOLATIONS_MAX);
                Err(Error::Invalid(all))
            }
            Err(other) => Err(other),
        }
    }

    /// Notes a failure that names its fields, and answers what there is otherwise.
    pub(super) fn read<T: Default>(&mut self, read: Result<T, Error>) -> T {
        read.unwrap_or_else(|error| {
            match error {
                Error::Invalid(violations) => {
                    for violation in violations {
                        self.fail(&violation.field, violation.problem);
                    }
                }
                other => self.fail("", other.to_string()),
            }
            T::default()
        })
    }

    pub(super) fn max(&mut self, field: &str, value: &str, bytes_max: usize) {
        if value.len() > bytes_max {
            self.fail(
                field,
                format!("is {} bytes long; at most {bytes_max} are allowed", value.len()),
            );
        }
    }

    pub(super) fn required(&mut self, field: &str, value: &str, bytes_max: usize) {
        if value.is_empty() {
            self.fail(field, "is required");
        }
        self.max(field, value, bytes_max);
    }

    /// An identifier of the vendor's.
    pub(super) fn identifier(&mut self, field: &str, id: &str) {
        self.identifier_within(field, id, ID_BYTES_MAX);
    }

    /// An identifier of a file.
    pub(super) fn attachment_identifier(&mut self, field: &str, id: &str) {
        self.identifier_within(field, id, ATTACHMENT_ID_BYTES_MAX);
    }

    fn identifier_within(&mut self, field: &str, id: &str, bytes_max: usize) {
        self.required(field, id, bytes_max);
        if id.chars().any(char::is_control) {
            self.fail(field, "has control characters");
        }
        // They become a segment of a path, and there they mean another place.
        if matches!(id, "." | "..") {
            self.fail(field, "consists of dots, which no identifier does");
        }
    }

    pub(super) fn count(&mut self, field: &str, count: usize, count_max: usize) {
        if count > count_max {
            self.fail(
                field,
                format!("has {count} items; at most {count_max} are allowed"),
            );
        }
    }

    /// A number within a range; 0: not given.
    pub(super) fn range(&mut self, field: &str, number: i32, range: &RangeInclusive<u32>) -> Option<u32> {
        match u32::try_from(number) {
            Ok(0) => None,
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                self.fail(
                    field,
                    format!(
                        "is {number}; it must lie between {} and {}, or be 0 for the vendor's default",
                        range.start(),
                        range.end()
                    ),
                );
                None
            }
        }
    }

    /// Who acts: the user or the bot.
    pub(super) fn author(&mut self, field: &str, number: i32) -> AuthorType {
        match proto::AuthorType::try_from(number) {
            Ok(proto::AuthorType::User) => return AuthorType::User,
            Ok(proto::AuthorType::Bot) => return AuthorType::Bot,
            Ok(proto::AuthorType::Unspecified) => self.fail(field, "is required: USER or BOT"),
            _ => self.fail(field, "may be USER or BOT only"),
        }
        AuthorType::User
    }

    /// A UUID of the caller's, which may be empty.
    pub(super) fn request_id(&mut self, field: &str, id: &str) {
        if !id.is_empty() && uuid::Uuid::try_parse(id).is_err() {
            self.fail(
                field,
                "is not a UUID, such as 6f1c2c7e-1d2f-4c3a-9a55-0e8b3c7f4d21",
            );
        }
    }

    /// An absolute http or https URL. It may hold a secret, so that no problem repeats it.
    pub(super) fn uri(&mut self, field: &str, uri: &str) {
        self.required(field, uri, URI_BYTES_MAX);
        if uri.is_empty() || uri.len() > URI_BYTES_MAX {
            return;
        }
        // What parsers of URLs leave out or escape would not be what was given.
        if uri.chars().any(|c| c.is_control() || c.is_whitespace()) {
            self.fail(field, "has white space or control characters");
            return;
        }
        let is_absolute = ["http://", "https://"].iter().any(|scheme| {
            uri.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        // A parser forgives a third slash, and takes what comes behind it for the host.
        let has_host = uri.split('/').nth(2).is_some_and(|host| !host.is_empty());
        if !(is_absolute && has_host && Url::parse(uri).is_ok_and(|url| url.has_host())) {
            self.fail(field, "must be an absolute http or https URL with a host");
        }
    }

    /// The name of a file, without a path.
    pub(super) fn file_name(&mut self, field: &str, name: &str) {
        self.required(field, name, FILE_NAME_BYTES_MAX);
        if name.contains(['/', '\\']) {
            self.fail(field, "has path separators: give the name alone");
        }
        if name.chars().any(char::is_control) {
            self.fail(field, "has control characters");
        }
        if matches!(name, "." | "..") {
            self.fail(field, "consists of dots, which no file's name does");
        }
    }

    /// A media type, or the one for any bytes where none is given.
    pub(super) fn media_type(&mut self, field: &str, media_type: &str) -> String {
        if media_type.is_empty() {
            return MEDIA_TYPE_DEFAULT.to_owned();
        }
        self.max(field, media_type, MEDIA_TYPE_BYTES_MAX);
        if !is_media_type(media_type) {
            self.fail(field, "is not a media type, such as image/png");
        }
        media_type.to_owned()
    }

    /// The size of a file in bytes.
    pub(super) fn size(&mut self, field: &str, bytes: i64, bytes_max: u64) -> u64 {
        match u64::try_from(bytes) {
            Ok(0) | Err(_) => self.fail(field, format!("is {bytes}; a file has at least 1 byte")),
            Ok(bytes) if bytes > bytes_max => {
                self.fail(field, format!("is {bytes}; at most {bytes_max} bytes are taken"));
            }
            Ok(bytes) => return bytes,
        }
        0
    }

    /// A time since 1970, in Unix milliseconds.
    pub(super) fn time(&mut self, field: &str, time: &Timestamp) -> i64 {
        let nanos_are_right = (0..1_000_000_000).contains(&time.nanos);
        if !(0..=SECONDS_MAX).contains(&time.seconds) || !nanos_are_right {
            self.fail(
                field,
                "must lie between the years 1970 and 9999, with nanos from 0 to 999999999",
            );
            return 0;
        }
        time.seconds * 1000 + i64::from(time.nanos) / 1_000_000
    }
}

/// `type/subtype` and perhaps parameters, as HTTP writes them (RFC 9110, 8.3.1).
fn is_media_type(text: &str) -> bool {
    let mut parts = text.split(';');
    let essence = parts
        .next()
        .and_then(|essence| essence.trim_end_matches(' ').split_once('/'));
    let is_essence = essence.is_some_and(|(of, sub)| is_token(of) && is_token(sub));
    is_essence
        && parts.all(|parameter| {
            parameter
                .trim_matches(' ')
                .split_once('=')
                .is_some_and(|(name, value)| {
                    let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                    is_token(name) && quoted.map_or_else(|| is_token(value), is_plain)
                })
        })
}

/// A token of HTTP (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    let is_sign = |b: u8| b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || is_sign(b))
}

/// What may be between quotes without being escaped.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| (b == b' ' || b.is_ascii_graphic()) && b != b'"' && b != b'\\')
}
