//! What is kept of calls, encrypted. A call's record is made before its conversation has an identifier, and lies in another
//! slot: so it has the data key of its tenant.

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    keys::hash,
    vault::{Held, NO_VAULT, Vault},
};
use crate::{
    event::{ConversationKey, TenantId},
    store::{IdempotencyKey, StoreError, seal::sealed_bytes},
};

impl Vault {
    /// Encrypts what is kept of a call. It belongs to no conversation that could be erased, but to the tenant.
    pub(super) async fn seal_call<'a>(
        &self,
        key: &IdempotencyKey,
        what: &str,
        plain: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, StoreError> {
        let Some(data_key) = self.to_seal(&of_tenant(&key.tenant)).await? else {
            return Ok(plain.into());
        };
        let sealed = data_key.seal_bytes(what, call_detail(key).as_bytes(), plain);
        let sealed = sealed.ok_or_else(|| StoreError::Corrupt("a call could not be encrypted".into()))?;
        Ok(sealed.into())
    }

    async fn open_call(&self, key: &IdempotencyKey, what: &str, kept: &Bytes) -> Result<Bytes, StoreError> {
        let Some((id, sealed)) = sealed_bytes(kept) else {
            return Ok(kept.clone());
        };
        let of = (of_tenant(&key.tenant), id);
        match self.find(&[of]).await?.pop() {
            Some(Held::Key(data_key)) => data_key
                .open(what, call_detail(key).as_bytes(), sealed)
                .map(Bytes::from)
                .ok_or_else(|| StoreError::Corrupt("the record of a call does not fit its key".into())),
            Some(Held::Missing(why)) => Err(StoreError::Sealed(why.to_string())),
            Some(Held::Gone) | None => Err(StoreError::Corrupt("the record of a call has no key".into())),
        }
    }
}

/// Decrypts what is kept of a call, where it is encrypted.
pub(super) async fn open_call(
    vault: Option<&Vault>,
    key: &IdempotencyKey,
    what: &str,
    kept: Bytes,
) -> Result<Bytes, StoreError> {
    match vault {
        Some(vault) => vault.open_call(key, what, &kept).await,
        None if sealed_bytes(&kept).is_some() => Err(StoreError::Sealed(NO_VAULT.to_owned())),
        None => Ok(kept),
    }
}

/// The tenant's pseudo-conversation.
fn of_tenant(tenant: &TenantId) -> ConversationKey {
    ConversationKey::new(tenant.clone(), "")
}

fn call_detail(key: &IdempotencyKey) -> String {
    hash(&[&key.caller, key.method, &key.request_id])
}
