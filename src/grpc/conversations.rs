//! `ConversationService`: checks, calls the use case, converts the answer.

mod cards;
mod hand_over;
mod indicators;
mod lifecycle;
mod messages;
mod people;

use tonic::{Request, Response, Status, Streaming};

use super::{
    call::answer,
    fields::Rpc,
    proto::{self, conversation_service_server::ConversationService},
};
use crate::conversation::Conversations;

/// The service.
pub struct Service(pub Conversations);

#[tonic::async_trait]
impl ConversationService for Service {
    async fn hand_over_conversation(
        &self,
        request: Request<Streaming<proto::HandOverConversationRequest>>,
    ) -> Result<Response<proto::HandOverConversationResponse>, Status> {
        Ok(Response::new(hand_over::hand_over(&self.0, request).await?))
    }

    async fn find_or_create_conversation(
        &self,
        request: Request<proto::FindOrCreateConversationRequest>,
    ) -> Result<Response<proto::FindOrCreateConversationResponse>, Status> {
        answer(
            Rpc::FindOrCreateConversation,
            lifecycle::find_or_create(&self.0, request).await,
        )
    }

    async fn create_conversation(
        &self,
        request: Request<proto::CreateConversationRequest>,
    ) -> Result<Response<proto::CreateConversationResponse>, Status> {
        answer(Rpc::CreateConversation, lifecycle::create(&self.0, request).await)
    }

    async fn get_conversation(
        &self,
        request: Request<proto::GetConversationRequest>,
    ) -> Result<Response<proto::GetConversationResponse>, Status> {
        answer(Rpc::GetConversation, lifecycle::get(&self.0, request).await)
    }

    async fn list_conversations(
        &self,
        request: Request<proto::ListConversationsRequest>,
    ) -> Result<Response<proto::ListConversationsResponse>, Status> {
        answer(Rpc::ListConversations, lifecycle::list(&self.0, request).await)
    }

    async fn update_conversation(
        &self,
        request: Request<proto::UpdateConversationRequest>,
    ) -> Result<Response<proto::UpdateConversationResponse>, Status> {
        answer(Rpc::UpdateConversation, lifecycle::update(&self.0, request).await)
    }

    async fn replace_conversation(
        &self,
        request: Request<proto::ReplaceConversationRequest>,
    ) -> Result<Response<proto::ReplaceConversationResponse>, Status> {
        answer(
            Rpc::ReplaceConversation,
            lifecycle::replace(&self.0, request).await,
        )
    }

    async fn transfer_conversation(
        &self,
        request: Request<proto::TransferConversationRequest>,
    ) -> Result<Response<proto::TransferConversationResponse>, Status> {
        answer(
            Rpc::TransferConversation,
            lifecycle::transfer(&self.0, request).await,
        )
    }

    async fn end_conversation(
        &self,
        request: Request<proto::EndConversationRequest>,
    ) -> Result<Response<proto::EndConversationResponse>, Status> {
        answer(Rpc::EndConversation, lifecycle::end(&self.0, request).await)
    }

    async fn list_interactions(
        &self,
        request: Request<proto::ListInteractionsRequest>,
    ) -> Result<Response<proto::ListInteractionsResponse>, Status> {
        answer(
            Rpc::ListInteractions,
            people::interactions(&self.0, request).await,
        )
    }

    async fn list_participants(
        &self,
        request: Request<proto::ListParticipantsRequest>,
    ) -> Result<Response<proto::ListParticipantsResponse>, Status> {
        answer(
            Rpc::ListParticipants,
            people::participants(&self.0, request).await,
        )
    }

    async fn create_post_agent_assignment(
        &self,
        request: Request<proto::CreatePostAgentAssignmentRequest>,
    ) -> Result<Response<proto::CreatePostAgentAssignmentResponse>, Status> {
        answer(
            Rpc::CreatePostAgentAssignment,
            people::post_agent_assignment(&self.0, request).await,
        )
    }

    async fn send_message(
        &self,
        request: Request<proto::SendMessageRequest>,
    ) -> Result<Response<proto::SendMessageResponse>, Status> {
        answer(Rpc::SendMessage, messages::send(&self.0, request).await)
    }

    async fn get_message(
        &self,
        request: Request<proto::GetMessageRequest>,
    ) -> Result<Response<proto::GetMessageResponse>, Status> {
        answer(Rpc::GetMessage, messages::get(&self.0, request).await)
    }

    async fn list_messages(
        &self,
        request: Request<proto::ListMessagesRequest>,
    ) -> Result<Response<proto::ListMessagesResponse>, Status> {
        answer(Rpc::ListMessages, messages::list(&self.0, request).await)
    }

    async fn list_cards(
        &self,
        request: Request<proto::ListCardsRequest>,
    ) -> Result<Response<proto::ListCardsResponse>, Status> {
        answer(Rpc::ListCards, cards::list(&self.0, request).await)
    }

    async fn submit_card_action(
        &self,
        request: Request<proto::SubmitCardActionRequest>,
    ) -> Result<Response<proto::SubmitCardActionResponse>, Status> {
        answer(Rpc::SubmitCardAction, cards::submit(&self.0, request).await)
    }

    async fn execute_card_action(
        &self,
        request: Request<proto::ExecuteCardActionRequest>,
    ) -> Result<Response<proto::ExecuteCardActionResponse>, Status> {
        answer(Rpc::ExecuteCardAction, cards::execute(&self.0, request).await)
    }

    async fn send_typing_indicator(
        &self,
        request: Request<proto::SendTypingIndicatorRequest>,
    ) -> Result<Response<proto::SendTypingIndicatorResponse>, Status> {
        answer(
            Rpc::SendTypingIndicator,
            indicators::typing(&self.0, request).await,
        )
    }

    async fn send_thinking_indicator(
        &self,
        request: Request<proto::SendThinkingIndicatorRequest>,
    ) -> Result<Response<proto::SendThinkingIndicatorResponse>, Status> {
        answer(
            Rpc::SendThinkingIndicator,
            indicators::thinking(&self.0, request).await,
        )
    }

    async fn send_read_receipt(
        &self,
        request: Request<proto::SendReadReceiptRequest>,
    ) -> Result<Response<proto::SendReadReceiptResponse>, Status> {
        answer(
            Rpc::SendReadReceipt,
            indicators::read_receipt(&self.0, request).await,
        )
    }
}
