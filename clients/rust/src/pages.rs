use futures_util::{Stream, stream};

use crate::Error;

/// Every item of a list, where `read` gives a page's items and the request of the next page.
pub(crate) fn pages<Q, T, F, R>(
    first: Q,
    read: F,
) -> impl Stream<Item = Result<T, Error>> + Send + use<Q, T, F, R>
where
    Q: Send,
    T: Send,
    F: Fn(Q) -> R + Send,
    R: Future<Output = Result<(Vec<T>, Option<Q>), Error>> + Send,
{
    let state = (Some(first), Vec::new().into_iter(), read);
    stream::try_unfold(state, |(mut next, mut items, read)| async move {
        loop {
            if let Some(item) = items.next() {
                return Ok(Some((item, (next, items, read))));
            }
            let Some(request) = next.take() else {
                return Ok(None);
            };
            let (page, following) = read(request).await?;
            (next, items) = (following, page.into_iter());
        }
    })
}
