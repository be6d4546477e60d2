//! What all RPCs that call the vendor have in common.

use aws_lc_rs::digest::{SHA256, digest};
use tonic::{Response, Status};

use super::{
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

/// What makes a request idempotent. Its `id` must be in lower case in `request` as well, since a UUID is the same however it is
/// written. Two requests that differ only in how they spell the tenant are different.
pub(super) fn request_id(
    check: &mut Check,
    field: &str,
    id: &str,
    request: &impl prost::Message,
) -> RequestId {
    check.request_id(field, id);
    let mut of_request = [0; 32];
    of_request.copy_from_slice(digest(&SHA256, &request.encode_to_vec()).as_ref());
    RequestId {
        id: id.to_owned(),
        digest: of_request,
    }
}
