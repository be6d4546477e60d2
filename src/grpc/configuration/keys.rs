//! Keys that the vendor signs webhooks with.

use tonic::Request;

use crate::{
    conversation::Conversations,
    error::Error,
    grpc::{check::Check, convert, deadline, proto},
};

pub(super) async fn get(
    calls: &Conversations,
    request: Request<proto::GetSigningKeyRequest>,
) -> Result<proto::GetSigningKeyResponse, Error> {
    let deadline = deadline::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("key_id", &request.key_id);
    let tenant = check.of_tenant(calls.tenant(&request.tenant, deadline))?;
    let key = calls.signing_key(&tenant, &request.key_id).await?;
    Ok(proto::GetSigningKeyResponse {
        jwk: Some(convert::jwk(&key)?),
    })
}
