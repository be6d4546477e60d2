//! Whether a stream may go on: its caller's rights are looked at again whenever they may have changed.

use std::time::SystemTime;

use tokio::time::Instant;

use crate::{
    access::{Access, Caller, Denied, StreamPlace},
    event::TenantId,
    tenant::Tenants,
};

/// Why a caller has no rights any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// What they presented is past its time.
    Expired,
    /// Somebody took them away.
    Revoked,
}

/// The rights of one stream's caller.
pub(super) struct Rights {
    access: Access,
    tenants: Tenants,
    caller: Caller,
    tenant: TenantId,
    /// The policy under which they were looked at.
    number: u64,
    _place: StreamPlace,
}

impl Rights {
    /// Those of a caller who was let in, to the events of this tenant.
    pub(super) fn new(
        access: &Access,
        tenants: &Tenants,
        caller: &Caller,
        tenant: &TenantId,
        place: StreamPlace,
    ) -> Self {
        Self {
            access: access.clone(),
            tenants: tenants.clone(),
            caller: caller.clone(),
            tenant: tenant.clone(),
            // Whatever changed since the caller was let in is looked at first.
            number: 0,
            _place: place,
        }
    }

    /// Some that never change.
    #[cfg(test)]
    #[allow(clippy::unwrap_used, reason = "nobody has no limit")]
    pub(super) fn fixed() -> Self {
        let (access, caller) = (Access::default(), Caller::nobody());
        let place = access.open_stream(&caller).unwrap();
        Self::new(&access, &Tenants::new([]), &caller, &TenantId::new("t"), place)
    }

    /// When what the caller presented ends by itself; `None`: never.
    pub(super) fn ends_at(&self) -> Option<Instant> {
        let until = self.caller.until()?;
        let left = until.duration_since(SystemTime::now()).unwrap_or_default();
        Instant::now().checked_add(left)
    }

    /// Whether they may have changed.
    pub(super) fn may_differ(&self) -> bool {
        self.access.number() != self.number
    }

    /// Looks at them, by the policy that holds now.
    pub(super) fn look(&mut self) -> Result<(), Lost> {
        // Before the policy is: another that comes in between is looked at again.
        self.number = self.access.number();
        let again = match self.access.again(&self.caller) {
            Ok(again) => again,
            Err(Denied::Expired) => return Err(Lost::Expired),
            Err(_) => return Err(Lost::Revoked),
        };
        match self.tenants.of(&again, self.tenant.as_str()) {
            Ok(_) => Ok(()),
            Err(_) => Err(Lost::Revoked),
        }
    }
}
