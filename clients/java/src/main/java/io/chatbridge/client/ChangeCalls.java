package io.chatbridge.client;

import io.chatbridge.v1.AgentEventServiceGrpc;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.ChangeAgentEventsRequest;
import io.chatbridge.v1.ChangeAgentEventsResponse;
import io.grpc.Status;

/** Makes the changes of a changeable stream. The stream's lock guards what it shares with it. */
final class ChangeCalls {
  private final EventStream stream;
  private final Transport transport;
  private final Changes changes;
  private final AgentEventsRequest.Builder request;
  private boolean redoing;

  ChangeCalls(
      EventStream stream,
      Transport transport,
      Changes changes,
      AgentEventsRequest.Builder request) {
    this.stream = stream;
    this.transport = transport;
    this.changes = changes;
    this.request = request;
  }

  /** Makes a change, once the stream is connected. */
  void change(ChangeAgentEventsRequest change) {
    String id = "";
    while (true) {
      ChangeAgentEventsRequest named;
      synchronized (stream) {
        if (!request.getChangeable()) {
          throw new IllegalStateException(
              "only a stream that was opened as changeable can be changed");
        }
        id = connectedId();
        named = change.toBuilder().setTenant(request.getTenant()).setStreamId(id).build();
      }
      try {
        make(named);
        return;
      } catch (ChatbridgeException error) {
        if (!isUnknown(error) || !isOver(id)) {
          throw error;
        }
        // The stream it was made for broke meanwhile: make it for the one that follows.
      }
    }
  }

  /** Under the stream's lock. */
  private String connectedId() {
    try {
      while (changes.streamId().isEmpty() && !stream.isEnded()) {
        stream.wait();
      }
    } catch (InterruptedException interrupted) {
      throw Transport.interrupted();
    }
    if (stream.isEnded()) {
      throw new IllegalStateException("the stream has ended");
    }
    return changes.streamId();
  }

  private void make(ChangeAgentEventsRequest change) {
    ChangeAgentEventsResponse accepted =
        Transport.await(
            UnaryCall.start(
                transport,
                AgentEventServiceGrpc.getChangeAgentEventsMethod(),
                change,
                transport.timeout()));
    synchronized (stream) {
      changes.accepted(change, accepted.getRevision(), request);
    }
    redo();
  }

  private boolean isOver(String id) {
    synchronized (stream) {
      return !changes.streamId().equals(id);
    }
  }

  /** Makes anew, one after the other, what a broken connection had accepted and not told of. */
  void redo() {
    synchronized (stream) {
      if (redoing || changes.nextToRedo() == null) {
        return;
      }
      redoing = true;
    }
    transport.threads().executor.execute(this::redoAll);
  }

  private void redoAll() {
    try {
      ChangeAgentEventsRequest next;
      while ((next = next()) != null) {
        make(next.toBuilder().setStreamId(id()).build());
        synchronized (stream) {
          changes.redone(next);
        }
      }
    } catch (ChatbridgeException error) {
      stopRedoing();
      // What may pass is tried again with the next response; this stream may be over.
      if (!isUnknown(error)
          && ResumeRules.afterError(error, true, false, 1) instanceof ResumeRules.Stop) {
        stream.fail(error);
      }
    } catch (RuntimeException | Error failed) {
      stopRedoing();
      stream.fail(failed);
    }
  }

  private ChangeAgentEventsRequest next() {
    synchronized (stream) {
      ChangeAgentEventsRequest next = stream.isEnded() ? null : changes.nextToRedo();
      if (next == null) {
        redoing = false;
        return null;
      }
      return next;
    }
  }

  private String id() {
    synchronized (stream) {
      return changes.streamId();
    }
  }

  private void stopRedoing() {
    synchronized (stream) {
      redoing = false;
    }
  }

  private static boolean isUnknown(ChatbridgeException error) {
    return error.code() == Status.Code.NOT_FOUND && error.reason().equals("STREAM_UNKNOWN");
  }
}
