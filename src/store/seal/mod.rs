//! Contents that are encrypted before they are stored.
//!
//! Each conversation has a *data key* of its own, drawn at random. It lies beside what it encrypts, wrapped by a *master
//! key*, which the operator keeps elsewhere. So whoever deletes a conversation's data key has made unreadable whatever is left
//! of it anywhere, and a new master key needs only the data keys to be wrapped anew, not the contents.
//!
//! Both are AES-256-GCM (NIST SP 800-38D) with nonces of 96 random bits. Such nonces are safe for 2^32 messages under one key: no
//! conversation comes near that, nor do the data keys that one master key wraps, unless it is kept for billions of
//! conversations. What is encrypted is bound to its place: tenant, conversation and purpose are authenticated with it, so that
//! it opens nowhere else.

mod data;
mod file;
mod master;

pub use data::{DataKey, DataKeyId};
pub(crate) use data::{sealed_bytes, sealed_text};
pub use file::KeyRing;
pub use master::{MasterKey, MasterKeys};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

/// Length of a key in bytes.
const KEY_BYTES: usize = 32;

/// What is authenticated beside a ciphertext: parts of any length, told apart by their lengths.
fn bound_to(parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len() + 8).sum();
    let mut bound = Vec::with_capacity(length);
    for part in parts {
        bound.extend((part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part);
    }
    bound
}

/// A cipher.
fn cipher(key: &[u8; KEY_BYTES]) -> RandomizedNonceKey {
    #[allow(clippy::expect_used, reason = "it fails for keys of another length only")]
    RandomizedNonceKey::new(&AES_256_GCM, key).expect("a key of 32 bytes")
}

/// Nonce, ciphertext and tag, behind `prefix`. It takes more than any content has to make it fail: 64 GiB.
fn seal(cipher: &RandomizedNonceKey, bound: &[u8], plain: &[u8], prefix: &[u8]) -> Option<Vec<u8>> {
    let start = prefix.len() + NONCE_LEN;
    let mut sealed = Vec::with_capacity(start + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(prefix);
    sealed.extend_from_slice(&[0; NONCE_LEN]);
    sealed.extend_from_slice(plain);
    let (nonce, tag) = cipher
        .seal_in_place_separate_tag(Aad::from(bound), &mut sealed[start..])
        .ok()?;
    sealed[prefix.len()..start].copy_from_slice(nonce.as_ref());
    sealed.extend_from_slice(tag.as_ref());
    Some(sealed)
}

/// What [`seal`] was given; `None` where it was another key, another place, or was changed.
fn open(cipher: &RandomizedNonceKey, bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut opened = sealed.to_vec();
    let length = cipher
        .open_in_place(nonce, Aad::from(bound), &mut opened)
        .ok()?
        .len();
    opened.truncate(length);
    Some(opened)
}
