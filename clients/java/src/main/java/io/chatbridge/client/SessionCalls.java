package io.chatbridge.client;

import io.chatbridge.v1.EraseConversationRequest;
import io.chatbridge.v1.EraseConversationResponse;
import io.chatbridge.v1.GetSessionRequest;
import io.chatbridge.v1.GetSessionResponse;
import io.chatbridge.v1.ListSessionsRequest;
import io.chatbridge.v1.ListSessionsResponse;
import io.chatbridge.v1.Session;
import io.chatbridge.v1.SessionServiceGrpc;

/** Calls about what Chatbridge knows of conversations. */
abstract class SessionCalls extends AttachmentCalls {
  SessionCalls(Transport transport) {
    super(transport);
  }

  /** Reads one session. */
  public GetSessionResponse getSession(GetSessionRequest request) {
    return call(SessionServiceGrpc.getGetSessionMethod(), request);
  }

  /** Lists a tenant's sessions, the last active first. */
  public ListSessionsResponse listSessions(ListSessionsRequest request) {
    return call(SessionServiceGrpc.getListSessionsMethod(), request);
  }

  /**
   * All items of {@link #listSessions}, page by page as they are asked for, from the page that the
   * request names.
   */
  public Iterable<Session> iterateSessions(ListSessionsRequest request) {
    return pages(
        request,
        this::listSessions,
        ListSessionsResponse::getSessionsList,
        ListSessionsResponse::getNextPageToken,
        (page, token) -> page.toBuilder().setPageToken(token).build());
  }

  /**
   * Erases what Chatbridge keeps of a conversation: its events with their raw JSON, its session
   * with customer, labels and names, what was sent in it, and the key under which its contents are
   * encrypted. It cannot be undone.
   */
  public EraseConversationResponse eraseConversation(EraseConversationRequest request) {
    return call(SessionServiceGrpc.getEraseConversationMethod(), request);
  }
}
