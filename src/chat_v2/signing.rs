//! The keys that sign what is sent to webhooks of v2, and that its clients find at v2's address for public keys.

use std::{fmt, fs, path::Path, sync::Arc};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rsa::KeySize,
    signature::{KeyPair as _, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use serde_json::Value;

use crate::webhook::signer::Signer;

/// A new key may take a while until all replicas have it, and an old one until all that it signed has come.
const KEYS_MAX: usize = 4;
/// How much of a thumbprint names a key, in characters of base64url: 132 bits.
const KID_CHARACTERS: usize = 22;

/// Keys: the first signs, all can be had. Clones share them.
#[derive(Clone)]
pub struct SigningKeys(Arc<[Signer]>);

impl SigningKeys {
    /// The RSA keys of a PEM file. The error is a sentence without a subject, and holds nothing of the file.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let pem = fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Self::from_pem(&pem).map_err(|problem| format!("{} {problem}", path.display()))
    }

    /// A new key, for as long as this program runs. `None` if the cryptographic library refuses.
    pub(crate) fn generate() -> Option<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        let kid = kid(&pair);
        Some(Self([Signer::new(pair, kid)].into()))
    }

    fn from_pem(pem: &[u8]) -> Result<Self, &'static str> {
        const NO_KEY: &str = "holds something that is no RSA key of 2048 to 8192 bits, in PEM";
        let keys: Vec<PrivateKeyDer<'_>> = PrivateKeyDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| NO_KEY)?;
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err("must hold one private key, or up to four while they are replaced, in PEM");
        }
        let signers = keys.iter().map(|key| {
            let pair = match key {
                PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
                PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
                _ => return Err(NO_KEY),
            };
            let pair = pair.map_err(|_| NO_KEY)?;
            let kid = kid(&pair);
            Ok(Signer::new(pair, kid))
        });
        Ok(Self(signers.collect::<Result<Vec<_>, _>>()?.into()))
    }

    /// The key that signs.
    pub(super) fn current(&self) -> Option<&Signer> {
        self.0.first()
    }

    /// A public key by its identifier.
    pub(super) fn jwk(&self, kid: &str) -> Option<&Value> {
        self.0.iter().find(|key| key.kid() == kid).map(Signer::jwk)
    }
}

/// A key's name: the beginning of its thumbprint (RFC 7638), so that all replicas call it the same.
fn kid(pair: &RsaKeyPair) -> String {
    let public = pair.public_key();
    let e = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
    let n = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
    let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
    let mut kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
    kid.truncate(KID_CHARACTERS);
    kid
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids = self.0.iter().map(Signer::kid);
        f.debug_list().entries(kids).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    fn pem() -> String {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let text = BASE64_STANDARD.encode(der.as_ref());
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    }

    #[test]
    fn the_first_key_signs_and_all_can_be_had_under_names_that_stay() {
        let (old, new) = (pem(), pem());
        let keys = SigningKeys::from_pem(format!("{new}{old}").as_bytes()).unwrap();
        let alone = SigningKeys::from_pem(old.as_bytes()).unwrap();
        let old_kid = alone.current().unwrap().kid();
        assert_eq!(old_kid.len(), KID_CHARACTERS);
        assert_ne!(keys.current().unwrap().kid(), old_kid);
        assert_eq!(keys.jwk(old_kid), alone.jwk(old_kid));
        assert!(alone.jwk(keys.current().unwrap().kid()).is_none());
        assert!(!format!("{keys:?}").contains("PRIVATE"));
    }

    #[test]
    fn what_holds_no_such_key_is_refused() {
        let five: String = (0..5).map(|_| pem()).collect();
        let bad = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for text in ["", "x", bad, &five] {
            assert!(SigningKeys::from_pem(text.as_bytes()).is_err());
        }
        assert!(SigningKeys::from_file(Path::new("/nowhere/key.pem")).is_err());
    }
}
