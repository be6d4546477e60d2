//! Keys that the vendor signs webhooks with.

use tonic::Request;

use crate::{
    conversation::Conversations,
    error::Error,
    grpc::{asker::Asker, check::Check, convert, proto},
};

pub(super) async fn get(
    calls: &Conversations,
    request: Request<proto::GetSigningKeyRequest>,
) -> Result<proto::GetSigningKeyResponse, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("key_id", &request.key_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    let key = calls.signing_key(&tenant, &request.key_id).await?;
    Ok(proto::GetSigningKeyResponse {
        jwk: Some(convert::jwk(&key)?),
    })
}
