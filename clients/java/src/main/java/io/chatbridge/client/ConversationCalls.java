package io.chatbridge.client;

import io.chatbridge.v1.Conversation;
import io.chatbridge.v1.ConversationServiceGrpc;
import io.chatbridge.v1.CreateConversationRequest;
import io.chatbridge.v1.CreateConversationResponse;
import io.chatbridge.v1.CreatePostAgentAssignmentRequest;
import io.chatbridge.v1.CreatePostAgentAssignmentResponse;
import io.chatbridge.v1.EndConversationRequest;
import io.chatbridge.v1.EndConversationResponse;
import io.chatbridge.v1.FindOrCreateConversationRequest;
import io.chatbridge.v1.FindOrCreateConversationResponse;
import io.chatbridge.v1.GetConversationRequest;
import io.chatbridge.v1.GetConversationResponse;
import io.chatbridge.v1.Interaction;
import io.chatbridge.v1.ListConversationsRequest;
import io.chatbridge.v1.ListConversationsResponse;
import io.chatbridge.v1.ListInteractionsRequest;
import io.chatbridge.v1.ListInteractionsResponse;
import io.chatbridge.v1.ListParticipantsRequest;
import io.chatbridge.v1.ListParticipantsResponse;
import io.chatbridge.v1.Participant;
import io.chatbridge.v1.ReplaceConversationRequest;
import io.chatbridge.v1.ReplaceConversationResponse;
import io.chatbridge.v1.TransferConversationRequest;
import io.chatbridge.v1.TransferConversationResponse;
import io.chatbridge.v1.UpdateConversationRequest;
import io.chatbridge.v1.UpdateConversationResponse;

/** Calls about conversations. */
abstract class ConversationCalls extends Calls {
  ConversationCalls(Transport transport) {
    super(transport);
  }

  /** Finds the conversation of a customer on a channel, or creates it. */
  public FindOrCreateConversationResponse findOrCreateConversation(
      FindOrCreateConversationRequest request) {
    return call(ConversationServiceGrpc.getFindOrCreateConversationMethod(), request);
  }

  /** Starts a conversation, with the transcript and the context that the agent should see. */
  public CreateConversationResponse createConversation(CreateConversationRequest request) {
    return call(ConversationServiceGrpc.getCreateConversationMethod(), request);
  }

  /** Reads a conversation from the vendor. */
  public GetConversationResponse getConversation(GetConversationRequest request) {
    return call(ConversationServiceGrpc.getGetConversationMethod(), request);
  }

  /** Lists a tenant's conversations as the vendor has them. */
  public ListConversationsResponse listConversations(ListConversationsRequest request) {
    return call(ConversationServiceGrpc.getListConversationsMethod(), request);
  }

  /**
   * All items of {@link #listConversations}, page by page as they are asked for, from the page that
   * the request names.
   */
  public Iterable<Conversation> iterateConversations(ListConversationsRequest request) {
    return pages(
        request,
        this::listConversations,
        ListConversationsResponse::getConversationsList,
        ListConversationsResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }

  /** Changes the customer's data or the assignment. */
  public UpdateConversationResponse updateConversation(UpdateConversationRequest request) {
    return call(ConversationServiceGrpc.getUpdateConversationMethod(), request);
  }

  /**
   * Replaces channel, customer and assignment as a whole: what is not given is cleared, as far as
   * the vendor clears it.
   */
  public ReplaceConversationResponse replaceConversation(ReplaceConversationRequest request) {
    return call(ConversationServiceGrpc.getReplaceConversationMethod(), request);
  }

  /** Routes a conversation to another queue or script while no agent has it. */
  public TransferConversationResponse transferConversation(TransferConversationRequest request) {
    return call(ConversationServiceGrpc.getTransferConversationMethod(), request);
  }

  /** Lists a conversation's interactions, as the vendor has them. */
  public ListInteractionsResponse listInteractions(ListInteractionsRequest request) {
    return call(ConversationServiceGrpc.getListInteractionsMethod(), request);
  }

  /**
   * All items of {@link #listInteractions}, page by page as they are asked for, from the page that
   * the request names.
   */
  public Iterable<Interaction> iterateInteractions(ListInteractionsRequest request) {
    return pages(
        request,
        this::listInteractions,
        ListInteractionsResponse::getInteractionsList,
        ListInteractionsResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }

  /** Asks that the conversation be handed back to a bot once the agent has left. */
  public CreatePostAgentAssignmentResponse createPostAgentAssignment(
      CreatePostAgentAssignmentRequest request) {
    return call(ConversationServiceGrpc.getCreatePostAgentAssignmentMethod(), request);
  }

  /** Ends the current interaction on the customer's behalf. */
  public EndConversationResponse endConversation(EndConversationRequest request) {
    return call(ConversationServiceGrpc.getEndConversationMethod(), request);
  }

  /** Lists everybody who took part in a conversation. */
  public ListParticipantsResponse listParticipants(ListParticipantsRequest request) {
    return call(ConversationServiceGrpc.getListParticipantsMethod(), request);
  }

  /**
   * All items of {@link #listParticipants}, page by page as they are asked for, from the page that
   * the request names.
   */
  public Iterable<Participant> iterateParticipants(ListParticipantsRequest request) {
    return pages(
        request,
        this::listParticipants,
        ListParticipantsResponse::getParticipantsList,
        ListParticipantsResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }
}
