//! Who makes a call, for how long they wait, and what they ask for: the first that each call looks at.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use tonic::Request;

use super::{deadline, proto};
use crate::{
    access::Caller,
    conversation::Conversations,
    error::Error,
    tenant::{Tenant, Tenants},
};

/// A request that says what it is about. Written by the build script for every message that names a tenant.
pub(super) trait Subject {
    /// Names and values of the fields that identify something.
    fn about(&self) -> impl Iterator<Item = (&'static str, &str)>;
}

include!(concat!(env!("OUT_DIR"), "/subjects.rs"));

/// What the door notes of a call, for the call itself: an extension of its request.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    pub(super) caller: Caller,
    /// When it is over at the latest.
    pub(super) until: Option<Instant>,
    pub(super) record: Record,
}

/// What a call turned out to be about, for the audit log.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Arc<Mutex<Noted>>);

/// What is noted of a call.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) tenant: String,
    pub(super) about: Vec<(&'static str, String)>,
}

/// How much of an identifier is noted, in bytes: longer ones are refused by the call itself.
const NOTED_BYTES_MAX: usize = 256;

impl Record {
    fn note(&self, name: &'static str, value: &str) {
        if !value.is_empty() {
            let end = value.floor_char_boundary(NOTED_BYTES_MAX);
            self.with(|noted| noted.about.push((name, value[..end].to_owned())));
        }
    }

    /// Looks at what is noted.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Noted) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Who makes a call, and for how long they wait.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    caller: Caller,
    deadline: Option<Instant>,
    record: Record,
}

impl Asker {
    /// Of a call whose request names its tenant.
    pub(super) fn of<T: Subject>(request: &Request<T>) -> Self {
        let asker = Self::before(request);
        asker.says(request.get_ref());
        asker
    }

    /// Of a call that has yet to say what it is about.
    pub(super) fn before<T>(request: &Request<T>) -> Self {
        let waits = deadline::of(request);
        let Some(admission) = request.extensions().get::<Admission>() else {
            // Nobody let it in, so it gets nothing.
            return Self {
                caller: Caller::nobody(),
                deadline: waits,
                record: Record::default(),
            };
        };
        Self {
            caller: admission.caller.clone(),
            deadline: [waits, admission.until].into_iter().flatten().min(),
            record: admission.record.clone(),
        }
    }

    /// Notes what a request is about.
    pub(super) fn says(&self, request: &impl Subject) {
        for (name, value) in request.about() {
            self.record.note(name, value);
        }
    }

    /// Notes what came of it.
    pub(super) fn made(&self, name: &'static str, value: &str) {
        self.record.note(name, value);
    }

    /// Who it is.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The tenant that a request names, for the use cases.
    pub(super) fn tenant(&self, calls: &Conversations, name: &str) -> Result<Tenant, Error> {
        let tenant = calls.tenant(&self.caller, name, self.deadline)?;
        self.note_tenant(&tenant);
        Ok(tenant)
    }

    /// The tenant that a request names, where the vendor is not asked.
    pub(super) fn tenant_of(&self, tenants: &Tenants, name: &str) -> Result<Tenant, Error> {
        let tenant = tenants.of(&self.caller, name)?;
        self.note_tenant(&tenant);
        Ok((*tenant).clone())
    }

    fn note_tenant(&self, tenant: &Tenant) {
        self.record
            .with(|noted| tenant.id.as_str().clone_into(&mut noted.tenant));
    }
}
