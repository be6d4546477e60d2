package io.chatbridge.client;

import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.ChangeAgentEventsRequest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which conversations a changeable stream is to have. A change that the stream has told of goes
 * into the request with which it connects again; one that was accepted and not told of is made
 * anew. Used under the stream's lock.
 */
final class Changes {
  private final SortedMap<Long, ChangeAgentEventsRequest> pending =
      new TreeMap<>(Long::compareUnsigned);
  private final Deque<ChangeAgentEventsRequest> toRedo = new ArrayDeque<>();
  private String streamId = "";
  private long told;

  /** What the service calls the stream; empty: it is not connected. */
  String streamId() {
    return streamId;
  }

  /** The first heartbeat of a connection. */
  void connected(String id) {
    streamId = id;
    told = 0;
  }

  /** The connection is over; what it did not tell of is to be made anew, before what came later. */
  void disconnected() {
    streamId = "";
    List<ChangeAgentEventsRequest> untold = new ArrayList<>(pending.values());
    for (int last = untold.size() - 1; last >= 0; last--) {
      toRedo.addFirst(untold.get(last));
    }
    pending.clear();
  }

  /** The service accepted a change. */
  void accepted(
      ChangeAgentEventsRequest change, long revision, AgentEventsRequest.Builder request) {
    if (!change.getStreamId().equals(streamId)) {
      // The stream that it was made for is over.
      toRedo.addLast(change);
      return;
    }
    pending.put(revision, change);
    // The stream may have told of it before the call was answered.
    settle(request);
  }

  /** The stream told that the changes up to this one hold. */
  void told(long revision, AgentEventsRequest.Builder request) {
    told = revision;
    settle(request);
  }

  private void settle(AgentEventsRequest.Builder request) {
    while (!pending.isEmpty() && Long.compareUnsigned(pending.firstKey(), told) <= 0) {
      ChangeAgentEventsRequest change = pending.remove(pending.firstKey());
      Set<String> conversations = new LinkedHashSet<>(request.getConversationIdsList());
      change.getRemoveConversationIdsList().forEach(conversations::remove);
      conversations.addAll(change.getAddConversationIdsList());
      request.clearConversationIds().addAllConversationIds(conversations);
    }
  }

  /** The next change to be made anew; null: none. It stays the next until {@link #redone}. */
  ChangeAgentEventsRequest nextToRedo() {
    return streamId.isEmpty() ? null : toRedo.peekFirst();
  }

  void redone(ChangeAgentEventsRequest change) {
    toRedo.removeFirstOccurrence(change);
  }
}
