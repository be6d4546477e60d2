//! A call on its way: which operation, the request, and by when it must be over.

use std::sync::{Arc, atomic::AtomicBool};

use reqwest::{
    Client, Request,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue},
    multipart::Form,
};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use url::Url;

use super::{
    PageQuery, UpstreamError, UpstreamErrorKind, connection::Clients, operation::Operation,
    transfer::Progress,
};
use crate::event::TenantId;

/// A call to make.
#[derive(Debug)]
pub(super) struct Call {
    /// What is done.
    pub(super) operation: &'static Operation,
    /// The request. It can be cloned unless its body is a stream.
    pub(super) request: Request,
    /// When the caller stops waiting; `None`: only our own time limits hold.
    pub(super) deadline: Option<Instant>,
    /// Whether a file goes along.
    pub(super) transfer: Transfer,
    /// One of the requests that may be under way at once; given back when the last who holds it is done.
    pub(super) permit: Option<Arc<OwnedSemaphorePermit>>,
    /// Set while the request is on its way, and from when it may have taken effect.
    pub(super) left: Arc<AtomicBool>,
    /// What it is about.
    pub(super) about: Arc<About>,
    /// How often it was sent before.
    pub(super) repeats: u32,
}

/// What a call is about, for the log and for traces.
#[derive(Debug, Default)]
pub(super) struct About {
    pub(super) tenant: String,
    /// Empty: no conversation.
    pub(super) conversation: String,
}

impl About {
    /// A call of a tenant to a path of these segments.
    pub(super) fn new(tenant: &TenantId, segments: &[&str]) -> Self {
        let mut rest = segments.iter().skip_while(|segment| **segment != "conversations");
        Self {
            tenant: tenant.to_string(),
            conversation: rest.nth(1).copied().unwrap_or_default().to_owned(),
        }
    }

    /// The conversation, if it is about one.
    pub(super) fn conversation_if_any(&self) -> Option<&str> {
        Some(self.conversation.as_str()).filter(|id| !id.is_empty())
    }
}

/// Whether a file goes along with a call.
#[derive(Debug, Clone)]
pub(super) enum Transfer {
    /// None.
    None,
    /// The request's body is one.
    Up(Arc<Progress>),
    /// The answer's body is one.
    Down,
}

impl Transfer {
    /// What the call goes through.
    pub(super) fn client<'a>(&self, clients: &'a Clients) -> &'a Client {
        match self {
            Self::None => &clients.calls,
            Self::Up(_) | Self::Down => &clients.files,
        }
    }
}

impl Call {
    /// The same call once more; `None` where its body is a stream.
    pub(super) fn again(&self) -> Option<Self> {
        Some(Self {
            operation: self.operation,
            request: self.request.try_clone()?,
            deadline: self.deadline,
            transfer: self.transfer.clone(),
            permit: None,
            left: Arc::clone(&self.left),
            about: Arc::clone(&self.about),
            repeats: self.repeats + 1,
        })
    }
}

/// Puts a call together.
pub(super) struct CallBuilder {
    operation: &'static Operation,
    url: Url,
    tenant: HeaderValue,
    about: About,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    form: Option<Form>,
    transfer: Transfer,
}

const TENANT_HEADER: &str = "x-8x8-tenant";

impl CallBuilder {
    pub(super) fn new(operation: &'static Operation, url: Url, tenant: HeaderValue, about: About) -> Self {
        Self {
            operation,
            url,
            tenant,
            about,
            query: Vec::new(),
            body: None,
            form: None,
            transfer: Transfer::None,
        }
    }

    /// A JSON body.
    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }

    /// A body that holds a file, and how it comes along.
    pub(super) fn file(mut self, form: Form, progress: Arc<Progress>) -> Self {
        self.form = Some(form);
        self.transfer = Transfer::Up(progress);
        self
    }

    /// An answer that is a file.
    pub(super) fn for_file(mut self) -> Self {
        self.transfer = Transfer::Down;
        self
    }

    /// Which page. What is at its default is left out: the vendor's own default holds.
    pub(super) fn page(mut self, page: &PageQuery) -> Self {
        let number = |n: u32| if n == 0 { String::new() } else { n.to_string() };
        let all = [
            ("size", number(page.size)),
            ("page", number(page.page)),
            ("sort", page.sort.clone()),
            ("filter", page.filter.clone()),
        ];
        self.query = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self
    }

    pub(super) fn build(
        self,
        clients: &Clients,
        deadline: Option<Instant>,
        left: &Arc<AtomicBool>,
    ) -> Result<Call, UpstreamError> {
        let mut request = self
            .transfer
            .client(clients)
            .request(self.operation.method.clone(), self.url)
            .header(TENANT_HEADER, self.tenant);
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        if let Some(body) = self.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        if let Some(form) = self.form {
            request = request.multipart(form);
        }
        if matches!(self.transfer, Transfer::Down) {
            request = request.header(ACCEPT, "*/*");
        }
        let request = request
            .build()
            .map_err(|_| UpstreamError::new(UpstreamErrorKind::Invalid, "the request could not be built"))?;
        Ok(Call {
            operation: self.operation,
            request,
            deadline,
            transfer: self.transfer,
            permit: None,
            left: Arc::clone(left),
            about: Arc::new(self.about),
            repeats: 0,
        })
    }
}
