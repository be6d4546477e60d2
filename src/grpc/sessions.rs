//! `SessionService`: what the store knows, with no call to the vendor.

use std::collections::BTreeSet;

use tonic::{Request, Response, Status};

use super::{
    asker::Asker,
    check::Check,
    convert, paging,
    proto::{self, session_service_server::SessionService},
};
use crate::conversation::Conversations;

/// Far more than there are states.
const STATES_MAX: usize = 100;

/// The service.
pub struct Service(pub Conversations);

/// The states that a request names, by number. Of a list that is longer than there are states, no more is read.
fn states(check: &mut Check, numbers: &[i32]) -> BTreeSet<i32> {
    check.count("states", numbers.len(), STATES_MAX);
    for (i, number) in numbers.iter().take(STATES_MAX).enumerate() {
        match proto::SessionState::try_from(*number) {
            Ok(proto::SessionState::Unspecified) | Err(_) => {
                check.fail(&format!("states[{i}]"), "is not a state of a session");
            }
            Ok(_) => {}
        }
    }
    numbers.iter().take(STATES_MAX).copied().collect()
}

#[tonic::async_trait]
impl SessionService for Service {
    async fn get_session(
        &self,
        request: Request<proto::GetSessionRequest>,
    ) -> Result<Response<proto::GetSessionResponse>, Status> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        let mut check = Check::default();
        check.identifier("conversation_id", &request.conversation_id);
        let tenant = check.of_tenant(asker.tenant(&self.0, &request.tenant))?;
        let session = self.0.session(&tenant, &request.conversation_id).await?;
        Ok(Response::new(proto::GetSessionResponse {
            session: Some(convert::session(&session)),
        }))
    }

    async fn list_sessions(
        &self,
        request: Request<proto::ListSessionsRequest>,
    ) -> Result<Response<proto::ListSessionsResponse>, Status> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        let tenant = asker.tenant(&self.0, &request.tenant);
        let mut check = Check::default();
        let size = check.read(paging::size(request.page_size));
        let states = states(&mut check, &request.states);
        let id = tenant.as_ref().map_or("", |tenant| tenant.id.as_str());
        let scope = paging::scope(&[id, &format!("{states:?}")]);
        let after = if tenant.is_ok() {
            check.read(paging::session(&request.page_token, scope))
        } else {
            None
        };
        let tenant = check.of_tenant(tenant)?;
        let wanted =
            |s: &crate::conversation::Session| states.is_empty() || states.contains(&(s.state as i32));
        let (sessions, next) = self.0.sessions(&tenant, after, size as usize, wanted).await?;
        Ok(Response::new(proto::ListSessionsResponse {
            sessions: sessions.iter().map(convert::session).collect(),
            next_page_token: paging::next_session(scope, next.as_ref()),
        }))
    }

    async fn erase_conversation(
        &self,
        request: Request<proto::EraseConversationRequest>,
    ) -> Result<Response<proto::EraseConversationResponse>, Status> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        let mut check = Check::default();
        check.identifier("conversation_id", &request.conversation_id);
        let tenant = check.of_tenant(asker.tenant(&self.0, &request.tenant))?;
        let erased_events = self.0.erase(&tenant, &request.conversation_id).await?;
        Ok(Response::new(proto::EraseConversationResponse { erased_events }))
    }
}
