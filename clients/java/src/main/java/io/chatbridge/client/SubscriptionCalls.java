package io.chatbridge.client;

import io.chatbridge.v1.AgentEventServiceGrpc;
import io.chatbridge.v1.ChangeAgentEventsRequest;
import io.chatbridge.v1.ChangeAgentEventsResponse;
import io.chatbridge.v1.CommitCursorRequest;
import io.chatbridge.v1.CommitCursorResponse;
import io.chatbridge.v1.CreateSubscriptionRequest;
import io.chatbridge.v1.CreateSubscriptionResponse;
import io.chatbridge.v1.DeleteSubscriptionRequest;
import io.chatbridge.v1.DeleteSubscriptionResponse;
import io.chatbridge.v1.GetSubscriptionRequest;
import io.chatbridge.v1.GetSubscriptionResponse;
import io.chatbridge.v1.ListSubscriptionsRequest;
import io.chatbridge.v1.ListSubscriptionsResponse;
import io.chatbridge.v1.Subscription;
import io.chatbridge.v1.SubscriptionServiceGrpc;

/** Calls about named subscriptions and changes of streams. */
abstract class SubscriptionCalls extends SessionCalls {
  SubscriptionCalls(Transport transport) {
    super(transport);
  }

  /**
   * Adds conversations to an open stream and takes others off. The stream must have been opened as
   * {@code changeable}; it may be on any replica. What was accepted is told on the stream, within
   * moments, by a {@code changed} with the same {@code revision}: from there on the change holds.
   * If Redis loses its data, a change that was accepted but not told may be lost with it: where no
   * {@code changed} comes within 30 s, make the call again. A stream that is opened anew has the
   * conversations of its request.
   */
  public ChangeAgentEventsResponse changeAgentEvents(ChangeAgentEventsRequest request) {
    return call(AgentEventServiceGrpc.getChangeAgentEventsMethod(), request);
  }

  /**
   * Says that the events of a named subscription were processed up to a cursor, which moves its
   * place in the log. A cursor before what was committed already changes nothing.
   */
  public CommitCursorResponse commitCursor(CommitCursorRequest request) {
    return call(AgentEventServiceGrpc.getCommitCursorMethod(), request);
  }

  /**
   * Creates a subscription. Created again with the same definition, it is answered as it is; events
   * that came meanwhile are not skipped.
   */
  public CreateSubscriptionResponse createSubscription(CreateSubscriptionRequest request) {
    return call(SubscriptionServiceGrpc.getCreateSubscriptionMethod(), request);
  }

  /** Reads a subscription with its members and how far behind it is. */
  public GetSubscriptionResponse getSubscription(GetSubscriptionRequest request) {
    return call(SubscriptionServiceGrpc.getGetSubscriptionMethod(), request);
  }

  /** Lists a tenant's subscriptions in the order of their names. */
  public ListSubscriptionsResponse listSubscriptions(ListSubscriptionsRequest request) {
    return call(SubscriptionServiceGrpc.getListSubscriptionsMethod(), request);
  }

  /**
   * All items of {@link #listSubscriptions}, page by page as they are asked for, from the page that
   * the request names.
   */
  public Iterable<Subscription> iterateSubscriptions(ListSubscriptionsRequest request) {
    return pages(
        request,
        this::listSubscriptions,
        ListSubscriptionsResponse::getSubscriptionsList,
        ListSubscriptionsResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }

  /**
   * Deletes a subscription and its place in the log, and ends its streams with
   * SUBSCRIPTION_DELETED. One that does not exist is NOT_FOUND.
   */
  public DeleteSubscriptionResponse deleteSubscription(DeleteSubscriptionRequest request) {
    return call(SubscriptionServiceGrpc.getDeleteSubscriptionMethod(), request);
  }
}
