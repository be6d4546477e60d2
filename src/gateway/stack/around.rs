//! What a layer of ours does around a call, as a `tower` layer.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use crate::gateway::{call::Call, exchange::Answer, failure::Failure};

/// The rest of the way, as a layer sees it.
pub(super) trait Inner:
    Service<Call, Response = Answer, Error = Failure, Future: Send> + Clone + Send + 'static
{
}

impl<S> Inner for S where
    S: Service<Call, Response = Answer, Error = Failure, Future: Send> + Clone + Send + 'static
{
}

/// Something that is done around a call.
pub(super) trait Around: Send + Sync + 'static {
    fn around<S: Inner>(&self, call: Call, inner: S) -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// The layer of an [`Around`], which all calls share. Waiting is done within the call, because how long it may take differs
/// from call to call; so the services are always ready.
pub(super) struct AroundLayer<A>(Arc<A>);

impl<A> AroundLayer<A> {
    pub(super) fn new(around: A) -> Self {
        Self(Arc::new(around))
    }
}

impl<A, S> Layer<S> for AroundLayer<A> {
    type Service = AroundService<A, S>;

    fn layer(&self, inner: S) -> Self::Service {
        AroundService {
            around: Arc::clone(&self.0),
            inner,
        }
    }
}

pub(super) struct AroundService<A, S> {
    around: Arc<A>,
    inner: S,
}

impl<A, S: Clone> Clone for AroundService<A, S> {
    fn clone(&self) -> Self {
        Self {
            around: Arc::clone(&self.around),
            inner: self.inner.clone(),
        }
    }
}

impl<A: Around, S: Inner> Service<Call> for AroundService<A, S> {
    type Response = Answer;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Answer, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let around = Arc::clone(&self.around);
        let inner = self.inner.clone();
        Box::pin(async move { around.around(call, inner).await })
    }
}
