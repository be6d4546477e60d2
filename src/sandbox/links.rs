//! Addresses at which an attachment can be had without the API key, for a while.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// How long an address works.
const LIFETIME_MS: i64 = 3_600_000;

/// Makes and checks such addresses: each carries its end and a signature, so that none has to be remembered.
pub(crate) struct Links {
    base: String,
    key: hmac::Key,
}

impl Links {
    /// `base` is where this sandbox is reached, without a slash at its end.
    pub(crate) fn new(base: String) -> Self {
        Self {
            base,
            key: hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()),
        }
    }

    /// The address of an attachment from `now_ms` on.
    pub(crate) fn to(&self, conversation: &str, attachment: &str, now_ms: i64) -> String {
        let expires = now_ms.saturating_add(LIFETIME_MS);
        let tag = hmac::sign(&self.key, signed(conversation, attachment, expires).as_bytes());
        format!(
            "{}/files/{conversation}/{attachment}?expires={expires}&signature={}",
            self.base,
            URL_SAFE_NO_PAD.encode(tag)
        )
    }

    /// Whether an address was made here and still works.
    pub(crate) fn admits(
        &self,
        conversation: &str,
        attachment: &str,
        expires: i64,
        signature: &str,
        now_ms: i64,
    ) -> bool {
        let tag = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let signed = signed(conversation, attachment, expires);
        now_ms < expires && hmac::verify(&self.key, signed.as_bytes(), &tag).is_ok()
    }
}

fn signed(conversation: &str, attachment: &str, expires: i64) -> String {
    format!("{conversation}/{attachment}/{expires}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_works_for_its_file_and_its_hour_only() {
        let links = Links::new("http://127.0.0.1:1".to_owned());
        let url: url::Url = links.to("c", "a", 1_000).parse().unwrap();
        assert_eq!(url.path(), "/files/c/a");
        let query: Vec<String> = url.query_pairs().map(|(_, value)| value.into_owned()).collect();
        let (expires, signature) = (query[0].parse::<i64>().unwrap(), query[1].as_str());
        assert_eq!(expires, 3_601_000);
        assert!(links.admits("c", "a", expires, signature, 3_600_999));
        assert!(!links.admits("c", "a", expires, signature, 3_601_000), "too late");
        assert!(!links.admits("c", "a", expires + 1, signature, 0), "made longer");
        assert!(!links.admits("c", "b", expires, signature, 0), "another file");
        for forged in ["", "x", "===", &signature[1..]] {
            assert!(!links.admits("c", "a", expires, forged, 0), "{forged}");
        }
        let other = Links::new("http://127.0.0.1:1".to_owned());
        assert!(!other.admits("c", "a", expires, signature, 0), "another sandbox");
    }
}
