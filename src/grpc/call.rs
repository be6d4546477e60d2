//! What all RPCs that call the vendor have in common.

use aws_lc_rs::digest::{Context, SHA256};
use tonic::{Response, Status};

use super::{
    asker::Asker,
    check::Check,
    fields::{Rpc, in_the_callers_names},
};
use crate::{conversation::calls::RequestId, error::Error};

/// The answer of an RPC.
pub(super) fn answer<T>(rpc: Rpc, outcome: Result<T, Error>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(|error| status(rpc, error))
}

/// The error of an RPC.
pub(super) fn status(rpc: Rpc, error: Error) -> Status {
    in_the_callers_names(rpc, error).into()
}

/// What makes a request of a caller idempotent. Its `id` must be in lower case in `request` as well, since a UUID is the same however it is
/// written. Two requests that differ only in how they spell the tenant are different.
pub(super) fn request_id(
    check: &mut Check,
    field: &str,
    id: &str,
    asker: &Asker,
    request: &impl prost::Message,
) -> RequestId {
    check.request_id(field, id);
    let mut of_request = [0; 32];
    let mut digest = Context::new(&SHA256);
    // Another caller's request is another request, whatever it says. No name has a zero in it.
    digest.update(asker.caller().name().as_bytes());
    digest.update(&[0]);
    digest.update(&request.encode_to_vec());
    of_request.copy_from_slice(digest.finish().as_ref());
    RequestId {
        id: id.to_owned(),
        digest: of_request,
    }
}
