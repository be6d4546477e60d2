//! Master keys, which wrap data keys, as the operator gives them.

use std::{collections::BTreeSet, fmt, sync::Arc};

use aws_lc_rs::{
    aead::RandomizedNonceKey,
    constant_time::verify_slices_are_equal,
    hmac::{HMAC_SHA256, Key, sign},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::zeroize::Zeroizing;

use super::{KEY_BYTES, bound_to, cipher, data::DataKeyId, open, seal};
use crate::event::ConversationKey;

/// What stands in the place of the first key where new contents are not to be encrypted.
const PLAIN: &str = "plain";

/// The longest identifier of a key, in bytes.
const ID_BYTES_MAX: usize = 64;

/// A master key.
pub struct MasterKey {
    id: String,
    cipher: RandomizedNonceKey,
    /// By which it is known again, and which tells nothing of it.
    check: [u8; 8],
}

/// Master keys: perhaps one that wraps new data keys, and all that unwrap.
#[derive(Debug, Default)]
pub struct MasterKeys {
    seals: bool,
    keys: Vec<Arc<MasterKey>>,
}

impl MasterKey {
    fn new(id: &str, key: &[u8; KEY_BYTES]) -> Self {
        let tag = sign(&Key::new(HMAC_SHA256, key), b"chatbridge master key");
        let mut check = [0; 8];
        check.copy_from_slice(&tag.as_ref()[..8]);
        Self {
            id: id.to_owned(),
            cipher: cipher(key),
            check,
        }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sixteen digits by which the same key is known again, and which tell nothing of it.
    pub fn check(&self) -> String {
        self.check.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.check, &other.check).is_ok()
    }

    fn place<'a>(&'a self, of: &'a ConversationKey, id: &'a [u8]) -> [&'a [u8]; 5] {
        [
            b"chatbridge data key 1",
            self.id.as_bytes(),
            of.tenant.as_str().as_bytes(),
            of.conversation.as_bytes(),
            id,
        ]
    }

    /// Wraps a data key of a conversation.
    pub(super) fn wrap(&self, of: &ConversationKey, id: DataKeyId, key: &[u8; KEY_BYTES]) -> Option<Vec<u8>> {
        let id = id.0.to_be_bytes();
        seal(&self.cipher, &bound_to(&self.place(of, &id)), key, &[])
    }

    /// What [`MasterKey::wrap`] wrapped; `None` where it was another key's, or was changed.
    pub(super) fn unwrap(
        &self,
        of: &ConversationKey,
        id: DataKeyId,
        wrapped: &[u8],
    ) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
        let id = id.0.to_be_bytes();
        let key = Zeroizing::new(open(&self.cipher, &bound_to(&self.place(of, &id)), wrapped)?);
        let mut unwrapped = Zeroizing::new([0; KEY_BYTES]);
        if key.len() != KEY_BYTES {
            return None;
        }
        unwrapped.copy_from_slice(&key);
        Some(unwrapped)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl MasterKeys {
    /// Reads keys: `ID:BASE64` of 32 bytes each, on lines of their own or separated by commas. The first wraps new data keys;
    /// where `plain` stands in its place, none does. Empty lines, and those that begin with `#`, count as nothing.
    ///
    /// Fails with a sentence that shows nothing of the keys.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Arc<MasterKey>> = Vec::new();
        let mut seals = None;
        // Writers on Windows put a byte order mark in front.
        let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
        let items = lines
            .filter(|(_, line)| !line.trim_start().starts_with('#'))
            .flat_map(|(number, line)| line.split(',').map(move |item| (number, item.trim())))
            .filter(|(_, item)| !item.is_empty());
        for (number, item) in items {
            let wrong = |problem: &str| Err(format!("line {number}: {problem}"));
            if item == PLAIN {
                if seals.is_some() {
                    return wrong("\"plain\" may stand in the first place only");
                }
                seals = Some(false);
                continue;
            }
            let key = match read(item) {
                Ok(key) => key,
                Err(problem) => return wrong(problem),
            };
            if keys.iter().any(|known| known.id == key.id) {
                return wrong(&format!("a key {:?} stands before it already", key.id));
            }
            seals.get_or_insert(true);
            keys.push(Arc::new(key));
        }
        let Some(seals) = seals else {
            return Err("there is no key: give one as ID:BASE64 of 32 bytes, or \"plain\"".to_owned());
        };
        Ok(Self { seals, keys })
    }

    /// The key that wraps new data keys; `None`: new contents are not encrypted.
    pub fn first(&self) -> Option<&Arc<MasterKey>> {
        self.keys.first().filter(|_| self.seals)
    }

    /// The key of this name.
    pub fn get(&self, id: &str) -> Option<&Arc<MasterKey>> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// All keys, the first one first.
    pub fn all(&self) -> &[Arc<MasterKey>] {
        &self.keys
    }

    /// Whether these may take the place of others: a name must not come to mean another key.
    pub(super) fn may_follow(&self, before: &Self) -> Result<(), String> {
        let same = |key: &&Arc<MasterKey>| before.get(&key.id).is_none_or(|known| known.is(key));
        let other: BTreeSet<&str> = self
            .keys
            .iter()
            .filter(|key| !same(key))
            .map(|key| key.id())
            .collect();
        match other.first() {
            Some(id) => Err(format!(
                "key {id:?} is another key than before: give a new key a new name"
            )),
            None => Ok(()),
        }
    }
}

/// Reads `ID:BASE64`.
fn read(item: &str) -> Result<MasterKey, &'static str> {
    let (id, key) = item
        .split_once(':')
        .ok_or("a key is expected as ID:BASE64, such as 2026-11:q83v…")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if !(1..=ID_BYTES_MAX).contains(&id.len()) || !id.bytes().all(plain) || id == PLAIN {
        return Err(
            "a key's name must be 1 to 64 letters, digits, hyphens, underscores and dots, and not \"plain\"",
        );
    }
    let decoded = BASE64_STANDARD.decode(key).map(Zeroizing::new);
    let bytes = decoded
        .ok()
        .and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok())
        .map(Zeroizing::new)
        .ok_or("behind the name must come 32 bytes in base64, such as `openssl rand -base64 32` makes")?;
    Ok(MasterKey::new(id, &bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::event::TenantId;

    const A: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const B: &str = "b:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn the_first_key_wraps_and_plain_in_its_place_wraps_nothing() {
        let keys = MasterKeys::parse(&format!("# comment, with a comma\n\n{A}\r\n {B} \n")).unwrap();
        assert_eq!(keys.first().unwrap().id(), "a");
        assert_eq!(keys.get("b").unwrap().id(), "b");
        assert_eq!(keys.all().len(), 2);
        let keys = MasterKeys::parse(&format!("plain,{A},{B}")).unwrap();
        assert!(keys.first().is_none() && keys.get("a").is_some());
        assert!(MasterKeys::parse("plain").unwrap().all().is_empty());
        assert!(!format!("{keys:?}").contains("AAAA"));
    }

    #[rstest]
    #[case::nothing("\n# a:AAAA\n", "there is no key")]
    #[case::no_name("SECRETSECRET", "line 1: a key is expected as ID:BASE64")]
    #[case::a_bad_name("a b:SECRET", "line 1: a key's name")]
    #[case::plain_as_a_name("plain:SECRET", "line 1: a key's name")]
    #[case::short("\na:U0VDUkVU", "line 2: behind the name must come 32 bytes")]
    #[case::no_base64("a:SECRET!", "line 1: behind the name must come 32 bytes")]
    #[case::twice(&format!("{A}\n{A}"), "line 2: a key \"a\" stands before it already")]
    #[case::plain_behind(&format!("{A}\nplain"), "line 2: \"plain\" may stand")]
    fn a_mistake_is_told_with_its_line_and_without_the_key(#[case] text: &str, #[case] begins: &str) {
        let problem = MasterKeys::parse(text).unwrap_err();
        assert!(problem.starts_with(begins), "{problem}");
        assert!(
            !problem.contains("SECRET") && !problem.contains("U0VD"),
            "{problem}"
        );
    }

    #[test]
    fn a_name_never_comes_to_mean_another_key() {
        let keys = |text: &str| MasterKeys::parse(text).unwrap();
        let other = B.replace("b:", "a:");
        assert!(
            keys(&other)
                .may_follow(&keys(A))
                .is_err_and(|p| p.contains("\"a\""))
        );
        assert!(keys(&format!("{B},{A}")).may_follow(&keys(A)).is_ok());
    }

    #[test]
    fn a_wrapped_key_is_unwrapped_at_its_own_place_only() {
        let keys = MasterKeys::parse(&format!("{A}\n{B}")).unwrap();
        let (a, b) = (keys.get("a").unwrap(), keys.get("b").unwrap());
        let of = |tenant: &str, conversation: &str| ConversationKey::new(TenantId::new(tenant), conversation);
        let key = [7; KEY_BYTES];
        let mut wrapped = a.wrap(&of("t", "c"), DataKeyId(1), &key).unwrap();
        assert!(!wrapped.windows(4).any(|w| w == [7; 4]));
        assert_eq!(*a.unwrap(&of("t", "c"), DataKeyId(1), &wrapped).unwrap(), key);
        assert!(b.unwrap(&of("t", "c"), DataKeyId(1), &wrapped).is_none());
        assert!(a.unwrap(&of("t", "c"), DataKeyId(2), &wrapped).is_none());
        assert!(a.unwrap(&of("t", "d"), DataKeyId(1), &wrapped).is_none());
        assert!(a.unwrap(&of("tc", ""), DataKeyId(1), &wrapped).is_none());
        assert_ne!(wrapped, a.wrap(&of("t", "c"), DataKeyId(1), &key).unwrap());
        wrapped[20] ^= 1;
        assert!(a.unwrap(&of("t", "c"), DataKeyId(1), &wrapped).is_none());
        assert!(a.unwrap(&of("t", "c"), DataKeyId(1), &wrapped[..9]).is_none());
    }
}
