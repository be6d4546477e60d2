//! Static tokens. A token is random, so its plain SHA-256 tells nothing of it: what makes hashes of passwords slow is needed where
//! people choose them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngExt as _;

/// What a token begins with, so that scanners for secrets find it.
const PREFIX: &str = "cb_";
const TOKEN_BYTES: usize = 32;

/// The SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// A new token: `cb_` and 43 characters of base64url, with 256 random bits.
pub fn generate() -> String {
    let bytes: [u8; TOKEN_BYTES] = rand::rng().random();
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The hash under which a token is known.
pub fn hash(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// A hash as settings have it: 64 hexadecimal digits.
pub fn to_hex(hash: &TokenHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a hash as settings have it, in upper or lower case.
pub fn from_hex(text: &str) -> Option<TokenHash> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | digit))
        .collect();
    if digits.len() != 64 {
        return None;
    }
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_hash_is_what_sha256sum_says() {
        // The value of FIPS 180-2 for "abc".
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(to_hex(&hash("abc")), hex);
        assert_eq!(from_hex(hex), Some(hash("abc")));
        assert_eq!(from_hex(&hex.to_uppercase()), Some(hash("abc")));
    }

    #[test]
    fn what_is_no_hash_is_none() {
        let good = to_hex(&hash("abc"));
        for bad in [
            "",
            "ab",
            &good[1..],
            &format!("{good}00"),
            &good.replace('b', "g"),
            &good.replace("ba", "é"),
        ] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn tokens_differ_and_have_their_form() {
        let tokens: HashSet<String> = (0..100).map(|_| generate()).collect();
        assert_eq!(tokens.len(), 100);
        assert!(
            tokens
                .iter()
                .all(|t| t.len() == 46 && t.starts_with("cb_") && !t.contains('.'))
        );
    }
}
