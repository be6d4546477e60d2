//! `SessionService`: what the store knows, with no call to the vendor.

use std::collections::HashSet;

use tonic::{Request, Response, Status};

use super::{
    convert, paging,
    proto::{self, session_service_server::SessionService},
};
use crate::{conversation::Conversations, error::Error};

/// The service.
pub struct Service(pub Conversations);

/// The states that a request names, by number.
fn states(numbers: &[i32]) -> Result<HashSet<i32>, Error> {
    for (i, number) in numbers.iter().enumerate() {
        match proto::SessionState::try_from(*number) {
            Ok(proto::SessionState::Unspecified) | Err(_) => {
                return Err(Error::invalid(
                    format!("states[{i}]"),
                    "is not a state of a session",
                ));
            }
            Ok(_) => {}
        }
    }
    Ok(numbers.iter().copied().collect())
}

#[tonic::async_trait]
impl SessionService for Service {
    async fn get_session(
        &self,
        request: Request<proto::GetSessionRequest>,
    ) -> Result<Response<proto::GetSessionResponse>, Status> {
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, None)?;
        convert::valid_conversation_id(&request.conversation_id)?;
        let session = self.0.session(&tenant, &request.conversation_id).await?;
        Ok(Response::new(proto::GetSessionResponse {
            session: Some(convert::session(&session)),
        }))
    }

    async fn list_sessions(
        &self,
        request: Request<proto::ListSessionsRequest>,
    ) -> Result<Response<proto::ListSessionsResponse>, Status> {
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, None)?;
        let size = paging::size(request.page_size)?;
        let states = states(&request.states)?;
        let scope = paging::scope(&[tenant.id.as_str(), &format!("{:?}", request.states)]);
        let after = paging::session(&request.page_token, scope)?;
        let wanted =
            |s: &crate::conversation::Session| states.is_empty() || states.contains(&(s.state as i32));
        let (sessions, next) = self.0.sessions(&tenant, after, size as usize, wanted).await?;
        Ok(Response::new(proto::ListSessionsResponse {
            sessions: sessions.iter().map(convert::session).collect(),
            next_page_token: paging::next_session(scope, next.as_ref()),
        }))
    }
}
