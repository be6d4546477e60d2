//! `ConversationService`: checks, calls the use case, converts the answer.

use aws_lc_rs::digest::{SHA256, digest};
use tonic::{Request, Response, Status};

use super::{
    convert, deadline, paging,
    proto::{self, conversation_service_server::ConversationService},
};
use crate::{
    conversation::{Conversations, calls::RequestId},
    error::Error,
    gateway::PageQuery,
};

/// The service.
pub struct Service(pub Conversations);

/// What makes a request idempotent. Two requests that differ only in how they spell the tenant are different.
fn request_id(id: &str, request: &impl prost::Message) -> Result<RequestId, Error> {
    convert::valid_request_id(id)?;
    let mut of_request = [0; 32];
    of_request.copy_from_slice(digest(&SHA256, &request.encode_to_vec()).as_ref());
    Ok(RequestId {
        id: id.to_ascii_lowercase(),
        digest: of_request,
    })
}

#[tonic::async_trait]
impl ConversationService for Service {
    async fn create_conversation(
        &self,
        request: Request<proto::CreateConversationRequest>,
    ) -> Result<Response<proto::CreateConversationResponse>, Status> {
        let deadline = deadline::of(&request);
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, deadline)?;
        let id = request_id(&request.request_id, &request)?;
        let new = convert::new_conversation(&request)?;
        let labels = convert::valid_labels(request.labels)?;
        let created = self.0.create(&tenant, &id, &new, &labels).await?;
        Ok(Response::new(proto::CreateConversationResponse {
            tenant: created.tenant,
            conversation_id: created.conversation,
            create_time: created.created_ms.map(convert::timestamp),
            cursor: created.cursor.into(),
        }))
    }

    async fn get_conversation(
        &self,
        request: Request<proto::GetConversationRequest>,
    ) -> Result<Response<proto::GetConversationResponse>, Status> {
        let deadline = deadline::of(&request);
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, deadline)?;
        convert::valid_conversation_id(&request.conversation_id)?;
        let conversation = self.0.get(&tenant, &request.conversation_id).await?;
        Ok(Response::new(proto::GetConversationResponse {
            conversation: Some(convert::conversation(&tenant.id, &conversation)),
        }))
    }

    async fn list_conversations(
        &self,
        request: Request<proto::ListConversationsRequest>,
    ) -> Result<Response<proto::ListConversationsResponse>, Status> {
        let deadline = deadline::of(&request);
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, deadline)?;
        let size = paging::size(request.page_size)?;
        let parts = [
            tenant.id.as_str(),
            &size.to_string(),
            &request.filter,
            &request.order_by,
        ];
        let scope = paging::scope(&parts);
        let query = PageQuery {
            size,
            page: paging::page(&request.page_token, scope)?,
            sort: paging::order(&request.order_by)?,
            filter: paging::filter(&request.filter)?,
        };
        let listed = self.0.list(&tenant, &query).await?;
        Ok(Response::new(proto::ListConversationsResponse {
            conversations: listed
                .items
                .iter()
                .map(|c| convert::conversation(&tenant.id, c))
                .collect(),
            next_page_token: paging::next_page(scope, query.page, listed.total_pages),
            total_size: i32::try_from(listed.total).unwrap_or(i32::MAX),
        }))
    }

    async fn update_conversation(
        &self,
        request: Request<proto::UpdateConversationRequest>,
    ) -> Result<Response<proto::UpdateConversationResponse>, Status> {
        let deadline = deadline::of(&request);
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, deadline)?;
        convert::valid_conversation_id(&request.conversation_id)?;
        let patch = convert::patch(&request)?;
        let updated = self.0.update(&tenant, &request.conversation_id, &patch).await?;
        Ok(Response::new(proto::UpdateConversationResponse {
            cursor: updated.cursor.encode().into(),
            conversation: updated
                .conversation
                .map(|c| convert::conversation(&tenant.id, &c)),
        }))
    }

    async fn end_conversation(
        &self,
        request: Request<proto::EndConversationRequest>,
    ) -> Result<Response<proto::EndConversationResponse>, Status> {
        let deadline = deadline::of(&request);
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, deadline)?;
        convert::valid_conversation_id(&request.conversation_id)?;
        self.0.end(&tenant, &request.conversation_id).await?;
        Ok(Response::new(proto::EndConversationResponse {}))
    }

    async fn send_message(
        &self,
        request: Request<proto::SendMessageRequest>,
    ) -> Result<Response<proto::SendMessageResponse>, Status> {
        let deadline = deadline::of(&request);
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, deadline)?;
        convert::valid_conversation_id(&request.conversation_id)?;
        let id = request_id(&request.request_id, &request)?;
        let message = convert::message_to_send(request.message.as_ref())?;
        let sent = self
            .0
            .send(&tenant, &request.conversation_id, &id, &message)
            .await?;
        Ok(Response::new(proto::SendMessageResponse {
            accept_time: Some(convert::timestamp(sent.accepted_ms)),
        }))
    }

    async fn list_messages(
        &self,
        request: Request<proto::ListMessagesRequest>,
    ) -> Result<Response<proto::ListMessagesResponse>, Status> {
        let deadline = deadline::of(&request);
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, deadline)?;
        convert::valid_conversation_id(&request.conversation_id)?;
        let size = paging::size(request.page_size)?;
        let sort = paging::message_order(&request.order_by)?;
        let parts = [
            tenant.id.as_str(),
            &size.to_string(),
            &request.conversation_id,
            &sort,
        ];
        let scope = paging::scope(&parts);
        let query = PageQuery {
            size,
            page: paging::page(&request.page_token, scope)?,
            sort,
            filter: String::new(),
        };
        let listed = self.0.messages(&tenant, &request.conversation_id, &query).await?;
        Ok(Response::new(proto::ListMessagesResponse {
            messages: listed.items.iter().map(convert::message).collect(),
            next_page_token: paging::next_page(scope, query.page, listed.total_pages),
            total_size: i32::try_from(listed.total).unwrap_or(i32::MAX),
        }))
    }

    async fn send_typing_indicator(
        &self,
        request: Request<proto::SendTypingIndicatorRequest>,
    ) -> Result<Response<proto::SendTypingIndicatorResponse>, Status> {
        let deadline = deadline::of(&request);
        let request = request.into_inner();
        let tenant = self.0.tenant(&request.tenant, deadline)?;
        convert::valid_conversation_id(&request.conversation_id)?;
        let author = convert::sendable_author(request.author_type)?;
        self.0.typing(&tenant, &request.conversation_id, author).await?;
        Ok(Response::new(proto::SendTypingIndicatorResponse {}))
    }

    async fn hand_over_conversation(
        &self,
        _request: Request<tonic::Streaming<proto::HandOverConversationRequest>>,
    ) -> Result<Response<proto::HandOverConversationResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn find_or_create_conversation(
        &self,
        _request: Request<proto::FindOrCreateConversationRequest>,
    ) -> Result<Response<proto::FindOrCreateConversationResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn replace_conversation(
        &self,
        _request: Request<proto::ReplaceConversationRequest>,
    ) -> Result<Response<proto::ReplaceConversationResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn transfer_conversation(
        &self,
        _request: Request<proto::TransferConversationRequest>,
    ) -> Result<Response<proto::TransferConversationResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn list_interactions(
        &self,
        _request: Request<proto::ListInteractionsRequest>,
    ) -> Result<Response<proto::ListInteractionsResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn create_post_agent_assignment(
        &self,
        _request: Request<proto::CreatePostAgentAssignmentRequest>,
    ) -> Result<Response<proto::CreatePostAgentAssignmentResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn get_message(
        &self,
        _request: Request<proto::GetMessageRequest>,
    ) -> Result<Response<proto::GetMessageResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn list_cards(
        &self,
        _request: Request<proto::ListCardsRequest>,
    ) -> Result<Response<proto::ListCardsResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn submit_card_action(
        &self,
        _request: Request<proto::SubmitCardActionRequest>,
    ) -> Result<Response<proto::SubmitCardActionResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn execute_card_action(
        &self,
        _request: Request<proto::ExecuteCardActionRequest>,
    ) -> Result<Response<proto::ExecuteCardActionResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn send_thinking_indicator(
        &self,
        _request: Request<proto::SendThinkingIndicatorRequest>,
    ) -> Result<Response<proto::SendThinkingIndicatorResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn send_read_receipt(
        &self,
        _request: Request<proto::SendReadReceiptRequest>,
    ) -> Result<Response<proto::SendReadReceiptResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }

    async fn list_participants(
        &self,
        _request: Request<proto::ListParticipantsRequest>,
    ) -> Result<Response<proto::ListParticipantsResponse>, Status> {
        Err(Status::unimplemented("not built yet"))
    }
}
