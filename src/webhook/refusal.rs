//! Why a webhook is not taken.

use axum::http::StatusCode;

/// Why a webhook is not taken. None of them carries anything of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It comes from an address that nothing is taken from.
    AddressNotAllowed,
    /// More requests came from its source than may come in a second.
    SourceRate,
    /// What was sent is not HTTP/1.1.
    MalformedRequest,
    /// The head has more bytes or more lines than any of the vendor's.
    HeadTooLarge,
    /// The head did not come in time.
    HeadTimeout,
    /// It was slower than others, for whom there was no room.
    Crowded,
    /// Another path, or a wrong secret in it.
    NotFound,
    /// Another method than POST.
    MethodNotAllowed,
    /// The body is longer than the limit.
    TooLarge,
    /// The body did not come in time.
    BodyTimeout,
    /// The body ended before it was whole.
    BodyBroken,
    /// One of the six headers is missing.
    MissingHeader,
    /// One of the six headers is there more than once.
    DuplicateHeader,
    /// A header's value has characters or a length that no identifier or number of the vendor has.
    MalformedHeader,
    /// The signature is not a compact JWS.
    MalformedSignature,
    /// The signature brings a payload of its own, which it must not (RFC 7797 with a detached payload).
    AttachedPayload,
    /// The key id has characters or a length that none of the vendor's has.
    MalformedKid,
    /// An `alg` other than RS256.
    UnsupportedAlgorithm,
    /// A `crit` other than exactly `["b64"]`.
    UnsupportedCrit,
    /// A `b64` other than false.
    UnsupportedB64,
    /// The tenant is not one that is served here.
    UnknownTenant,
    /// The transmission time is too far from now.
    Stale,
    /// The vendor has no such key for the tenant.
    UnknownKey,
    /// The signature does not fit the body, the headers or the key.
    BadSignature,
    /// More of the tenant's own requests came than may come in a second.
    TenantRate,
    /// The vendor's answer is not a key that may be used.
    UnusableKey,
    /// Too many keys that are not known were asked for.
    KeyRate,
    /// The key is not known and the vendor cannot be asked.
    KeyUnavailable,
    /// The event log cannot be reached.
    StoreUnavailable,
    /// The event log refuses for a reason that a repeat will not change.
    StoreFailed,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 30] = [
        Self::AddressNotAllowed,
        Self::SourceRate,
        Self::MalformedRequest,
        Self::HeadTooLarge,
        Self::HeadTimeout,
        Self::Crowded,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::BodyTimeout,
        Self::BodyBroken,
        Self::MissingHeader,
        Self::DuplicateHeader,
        Self::MalformedHeader,
        Self::MalformedSignature,
        Self::AttachedPayload,
        Self::MalformedKid,
        Self::UnsupportedAlgorithm,
        Self::UnsupportedCrit,
        Self::UnsupportedB64,
        Self::UnknownTenant,
        Self::Stale,
        Self::UnknownKey,
        Self::BadSignature,
        Self::TenantRate,
        Self::UnusableKey,
        Self::KeyRate,
        Self::KeyUnavailable,
        Self::StoreUnavailable,
        Self::StoreFailed,
    ];

    /// The stable word for logs and for the label of `chatbridge_webhooks_total`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::AddressNotAllowed => "address_not_allowed",
            Self::SourceRate => "source_rate",
            Self::MalformedRequest => "malformed_request",
            Self::HeadTooLarge => "head_too_large",
            Self::HeadTimeout => "head_timeout",
            Self::Crowded => "crowded",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::BodyTimeout => "body_timeout",
            Self::BodyBroken => "body_broken",
            Self::MissingHeader => "missing_header",
            Self::DuplicateHeader => "duplicate_header",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedSignature => "malformed_signature",
            Self::AttachedPayload => "attached_payload",
            Self::MalformedKid => "malformed_kid",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::UnsupportedCrit => "unsupported_crit",
            Self::UnsupportedB64 => "unsupported_b64",
            Self::UnknownTenant => "unknown_tenant",
            Self::Stale => "stale",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::TenantRate => "tenant_rate",
            Self::UnusableKey => "unusable_key",
            Self::KeyRate => "key_rate",
            Self::KeyUnavailable => "key_unavailable",
            Self::StoreUnavailable => "store_unavailable",
            Self::StoreFailed => "store_failed",
        }
    }

    /// Whether anybody who finds the port causes it, so that one line of the log for each would say nothing.
    pub fn is_noise(self) -> bool {
        matches!(
            self,
            Self::AddressNotAllowed
                | Self::SourceRate
                | Self::MalformedRequest
                | Self::HeadTooLarge
                | Self::HeadTimeout
                | Self::Crowded
                | Self::NotFound
                | Self::MethodNotAllowed
        )
    }

    /// The HTTP status. The vendor repeats a delivery after any of them; 503 is for what is our own or the vendor's
    /// trouble, not the sender's fault.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout | Self::HeadTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::SourceRate | Self::TenantRate => StatusCode::TOO_MANY_REQUESTS,
            Self::MalformedRequest
            | Self::BodyBroken
            | Self::MissingHeader
            | Self::DuplicateHeader
            | Self::MalformedHeader
            | Self::MalformedSignature
            | Self::AttachedPayload
            | Self::MalformedKid => StatusCode::BAD_REQUEST,
            Self::AddressNotAllowed | Self::UnknownTenant => StatusCode::FORBIDDEN,
            Self::UnsupportedAlgorithm
            | Self::UnsupportedCrit
            | Self::UnsupportedB64
            | Self::Stale
            | Self::UnknownKey
            | Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::Crowded
            | Self::UnusableKey
            | Self::KeyRate
            | Self::KeyUnavailable
            | Self::StoreUnavailable
            | Self::StoreFailed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn reasons_differ_and_none_counts_as_delivered() {
        let reasons: HashSet<_> = Refusal::ALL.iter().map(|r| r.reason()).collect();
        assert_eq!(reasons.len(), Refusal::ALL.len());
        assert!(Refusal::ALL.iter().all(|r| !r.status().is_success()));
    }

    #[test]
    fn the_documentation_lists_every_refusal_with_its_status() {
        let page = include_str!("../../docs/webhooks.md");
        for refusal in Refusal::ALL {
            let row = format!("| `{}` | {} | ", refusal.reason(), refusal.status().as_u16());
            assert!(page.contains(&row), "docs/webhooks.md lacks the row: {row}");
        }
        let rows = page.lines().filter(|line| {
            let mut cells = line.split(" | ").skip(1);
            cells.next().is_some_and(|cell| cell.parse::<u16>().is_ok())
        });
        assert_eq!(
            rows.count(),
            Refusal::ALL.len(),
            "docs/webhooks.md has rows of none"
        );
    }
}
