package io.chatbridge.client;

import io.chatbridge.v1.Card;
import io.chatbridge.v1.ConversationServiceGrpc;
import io.chatbridge.v1.ExecuteCardActionRequest;
import io.chatbridge.v1.ExecuteCardActionResponse;
import io.chatbridge.v1.GetMessageRequest;
import io.chatbridge.v1.GetMessageResponse;
import io.chatbridge.v1.ListCardsRequest;
import io.chatbridge.v1.ListCardsResponse;
import io.chatbridge.v1.ListMessagesRequest;
import io.chatbridge.v1.ListMessagesResponse;
import io.chatbridge.v1.Message;
import io.chatbridge.v1.SendMessageRequest;
import io.chatbridge.v1.SendMessageResponse;
import io.chatbridge.v1.SendReadReceiptRequest;
import io.chatbridge.v1.SendReadReceiptResponse;
import io.chatbridge.v1.SendThinkingIndicatorRequest;
import io.chatbridge.v1.SendThinkingIndicatorResponse;
import io.chatbridge.v1.SendTypingIndicatorRequest;
import io.chatbridge.v1.SendTypingIndicatorResponse;
import io.chatbridge.v1.SubmitCardActionRequest;
import io.chatbridge.v1.SubmitCardActionResponse;

/** Calls about messages, cards and indicators. */
abstract class MessageCalls extends ConversationCalls {
  MessageCalls(Transport transport) {
    super(transport);
  }

  /** Sends a message as the customer or as the bot. */
  public SendMessageResponse sendMessage(SendMessageRequest request) {
    return call(ConversationServiceGrpc.getSendMessageMethod(), request);
  }

  /** Reads one message. */
  public GetMessageResponse getMessage(GetMessageRequest request) {
    return call(ConversationServiceGrpc.getGetMessageMethod(), request);
  }

  /** Lists a conversation's messages as the vendor has them. */
  public ListMessagesResponse listMessages(ListMessagesRequest request) {
    return call(ConversationServiceGrpc.getListMessagesMethod(), request);
  }

  /**
   * All items of {@link #listMessages}, page by page as they are asked for, from the page that the
   * request names.
   */
  public Iterable<Message> iterateMessages(ListMessagesRequest request) {
    return pages(
        request,
        this::listMessages,
        ListMessagesResponse::getMessagesList,
        ListMessagesResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }

  /** Lists the cards of a message. */
  public ListCardsResponse listCards(ListCardsRequest request) {
    return call(ConversationServiceGrpc.getListCardsMethod(), request);
  }

  /**
   * All items of {@link #listCards}, page by page as they are asked for, from the page that the
   * request names.
   */
  public Iterable<Card> iterateCards(ListCardsRequest request) {
    return pages(
        request,
        this::listCards,
        ListCardsResponse::getCardsList,
        ListCardsResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }

  /** Tells the vendor that the customer submitted an adaptive card ({@code Action.Submit}). */
  public SubmitCardActionResponse submitCardAction(SubmitCardActionRequest request) {
    return call(ConversationServiceGrpc.getSubmitCardActionMethod(), request);
  }

  /** Tells the vendor that an adaptive card's action was executed ({@code Action.Execute}). */
  public ExecuteCardActionResponse executeCardAction(ExecuteCardActionRequest request) {
    return call(ConversationServiceGrpc.getExecuteCardActionMethod(), request);
  }

  /** Shows the agent that the customer or the bot is typing. */
  public SendTypingIndicatorResponse sendTypingIndicator(SendTypingIndicatorRequest request) {
    return call(ConversationServiceGrpc.getSendTypingIndicatorMethod(), request);
  }

  /** Shows the agent that the bot is working on an answer. */
  public SendThinkingIndicatorResponse sendThinkingIndicator(SendThinkingIndicatorRequest request) {
    return call(ConversationServiceGrpc.getSendThinkingIndicatorMethod(), request);
  }

  /** Tells the agent up to when the customer or the bot has read. */
  public SendReadReceiptResponse sendReadReceipt(SendReadReceiptRequest request) {
    return call(ConversationServiceGrpc.getSendReadReceiptMethod(), request);
  }
}
