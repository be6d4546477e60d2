//! Data keys, which encrypt the contents of one conversation.

use std::fmt;

use aws_lc_rs::aead::RandomizedNonceKey;
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use secrecy::zeroize::Zeroizing;

use super::{KEY_BYTES, bound_to, cipher, master::MasterKey, open, seal};
use crate::event::ConversationKey;

/// What a text begins with that is encrypted. No JSON does, and no name that has no control characters.
const SEALED_TEXT: char = '\u{1}';
/// The same of bytes. No JSON begins so either.
const SEALED_BYTES: u8 = 1;

/// Which of the data keys that a conversation had: drawn at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataKeyId(pub(super) u64);

impl fmt::Display for DataKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl DataKeyId {
    /// Reads sixteen hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_plain.then(|| u64::from_str_radix(text, 16).ok().map(Self))?
    }
}

/// The data key of a conversation.
pub struct DataKey {
    id: DataKeyId,
    of: ConversationKey,
    cipher: RandomizedNonceKey,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl DataKey {
    /// Draws one, and wraps it. `None` where no random numbers are to be had.
    pub fn draw(of: &ConversationKey, master: &MasterKey) -> Option<(DataKeyId, Vec<u8>)> {
        let id = DataKeyId(rand::random());
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(&mut *key).ok()?;
        let wrapped = master.wrap(of, id, &key)?;
        Some((id, wrapped))
    }

    /// Unwraps one; `None` where the master key is not the one that wrapped it for this conversation.
    pub fn unwrap(of: &ConversationKey, id: DataKeyId, master: &MasterKey, wrapped: &[u8]) -> Option<Self> {
        let key = master.unwrap(of, id, wrapped)?;
        Some(Self {
            id,
            of: of.clone(),
            cipher: cipher(&key),
        })
    }

    /// Wraps one by another master key; `None` as [`DataKey::unwrap`] has it.
    pub fn rewrap(
        of: &ConversationKey,
        id: DataKeyId,
        (from, to): (&MasterKey, &MasterKey),
        wrapped: &[u8],
    ) -> Option<Vec<u8>> {
        to.wrap(of, id, &*from.unwrap(of, id, wrapped)?)
    }

    /// Which it is.
    pub fn id(&self) -> DataKeyId {
        self.id
    }

    /// Whose it is.
    pub fn of(&self) -> &ConversationKey {
        &self.of
    }

    fn place(&self, purpose: &str, detail: &[u8]) -> Vec<u8> {
        bound_to(&[
            b"chatbridge content 1",
            self.of.tenant.as_str().as_bytes(),
            self.of.conversation.as_bytes(),
            purpose.as_bytes(),
            detail,
        ])
    }

    /// Encrypts for a purpose, and for what it is there. `None` beyond 64 GiB.
    pub fn seal(&self, purpose: &str, detail: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        seal(&self.cipher, &self.place(purpose, detail), plain, &[])
    }

    /// Decrypts what was encrypted for the same. `None` where it was not, or was changed.
    pub fn open(&self, purpose: &str, detail: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        open(&self.cipher, &self.place(purpose, detail), sealed)
    }

    /// The same as a text that names its key.
    pub fn seal_text(&self, purpose: &str, detail: &[u8], plain: &str) -> Option<String> {
        let sealed = BASE64_STANDARD_NO_PAD.encode(self.seal(purpose, detail, plain.as_bytes())?);
        Some(format!("{SEALED_TEXT}{}:{sealed}", self.id))
    }

    /// The same as bytes that name their key.
    pub fn seal_bytes(&self, purpose: &str, detail: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let mut prefix = [SEALED_BYTES; 9];
        prefix[1..].copy_from_slice(&self.id.0.to_be_bytes());
        seal(&self.cipher, &self.place(purpose, detail), plain, &prefix)
    }
}

/// Which key encrypted a text, and the ciphertext; `None`: it is not encrypted.
pub(crate) fn sealed_text(text: &str) -> Option<(DataKeyId, Vec<u8>)> {
    let (id, sealed) = text.strip_prefix(SEALED_TEXT)?.split_once(':')?;
    Some((DataKeyId::parse(id)?, BASE64_STANDARD_NO_PAD.decode(sealed).ok()?))
}

/// Which key encrypted bytes, and the ciphertext; `None`: they are not encrypted.
pub(crate) fn sealed_bytes(bytes: &[u8]) -> Option<(DataKeyId, &[u8])> {
    let (id, sealed) = bytes.strip_prefix(&[SEALED_BYTES])?.split_first_chunk::<8>()?;
    Some((DataKeyId(u64::from_be_bytes(*id)), sealed))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::{super::MasterKeys, *};
    use crate::event::TenantId;

    fn masters() -> MasterKeys {
        let (a, b) = (
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        );
        MasterKeys::parse(&format!("a:{a}\nb:{b}")).unwrap()
    }

    fn of(tenant: &str, conversation: &str) -> ConversationKey {
        ConversationKey::new(TenantId::new(tenant), conversation)
    }

    fn key(of: &ConversationKey) -> DataKey {
        let masters = masters();
        let master = masters.first().unwrap();
        let (id, wrapped) = DataKey::draw(of, master).unwrap();
        DataKey::unwrap(of, id, master, &wrapped).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_and_says_nothing(plain in prop::collection::vec(any::<u8>(), 0..300)) {
            let key = key(&of("t", "c"));
            let sealed = key.seal("entry", b"head", &plain).unwrap();
            prop_assert_eq!(sealed.len(), plain.len() + 28);
            prop_assert_eq!(&key.open("entry", b"head", &sealed).unwrap(), &plain);
            prop_assert!(key.open("entry", b"other", &sealed).is_none());
            prop_assert!(key.open("call", b"head", &sealed).is_none());
            if plain.len() > 8 {
                prop_assert!(!sealed.windows(plain.len()).any(|w| w == plain));
            }
        }

        #[test]
        fn whatever_was_changed_is_not_opened(at in 0_usize..50, bit in 0_u8..8, cut in 0_usize..50) {
            let key = key(&of("t", "c"));
            let mut sealed = key.seal("entry", b"", &[7; 22]).unwrap();
            prop_assert!(key.open("entry", b"", &sealed[..cut]).is_none());
            sealed[at] ^= 1 << bit;
            prop_assert!(key.open("entry", b"", &sealed).is_none());
        }

        #[test]
        fn text_and_bytes_name_their_key_and_nothing_else_is_taken_for_them(
            text in ".{0,60}",
            bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let key = key(&of("t", "c"));
            let sealed = key.seal_text("session", b"user", &text).unwrap();
            let (id, inner) = sealed_text(&sealed).unwrap();
            prop_assert_eq!(id, key.id());
            prop_assert_eq!(key.open("session", b"user", &inner).unwrap(), text.clone().into_bytes());
            let sealed = key.seal_bytes("call", b"", &bytes).unwrap();
            let (id, inner) = sealed_bytes(&sealed).unwrap();
            prop_assert_eq!(id, key.id());
            prop_assert_eq!(&key.open("call", b"", inner).unwrap(), &bytes);
            prop_assert!(sealed_text(&text).is_none());
            prop_assert!(bytes.first() == Some(&1) || sealed_bytes(&bytes).is_none());
        }

        #[test]
        fn an_id_is_read_back(id: u64) {
            prop_assert_eq!(DataKeyId::parse(&DataKeyId(id).to_string()), Some(DataKeyId(id)));
        }
    }

    #[test]
    fn another_conversations_key_opens_nothing_though_its_bytes_were_the_same() {
        let masters = masters();
        let master = masters.first().unwrap();
        let raw = [9; KEY_BYTES];
        let id = DataKeyId(5);
        let of_each = [("t", "c"), ("t", "d"), ("u", "c"), ("tc", "")].map(|(tenant, conversation)| {
            let of = of(tenant, conversation);
            let wrapped = master.wrap(&of, id, &raw).unwrap();
            DataKey::unwrap(&of, id, master, &wrapped).unwrap()
        });
        let sealed = of_each[0].seal("entry", b"", b"secret").unwrap();
        assert!(of_each[0].open("entry", b"", &sealed).is_some());
        assert!(
            of_each[1..]
                .iter()
                .all(|key| key.open("entry", b"", &sealed).is_none())
        );
    }

    #[test]
    fn wrapped_anew_it_is_the_same_key() {
        let (masters, of) = (masters(), of("t", "c"));
        let (a, b) = (masters.get("a").unwrap(), masters.get("b").unwrap());
        let (id, wrapped) = DataKey::draw(&of, a).unwrap();
        let sealed = DataKey::unwrap(&of, id, a, &wrapped)
            .unwrap()
            .seal("entry", b"", b"x");
        let anew = DataKey::rewrap(&of, id, (a, b), &wrapped).unwrap();
        let key = DataKey::unwrap(&of, id, b, &anew).unwrap();
        assert_eq!(key.open("entry", b"", &sealed.unwrap()).unwrap(), b"x");
        assert!(DataKey::rewrap(&of, id, (b, a), &wrapped).is_none());
    }
}
