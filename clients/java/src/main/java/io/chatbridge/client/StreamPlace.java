package io.chatbridge.client;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.GapPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/** How far an application has come on a stream, and the store that keeps it. */
final class StreamPlace {
  private final Optional<CursorStore> store;
  private ByteString cursor;
  private ByteString unsaved = ByteString.EMPTY;

  StreamPlace(AgentEventsRequest request, Optional<CursorStore> store) {
    if (store.isPresent() && !request.getSubscription().isEmpty()) {
      throw new IllegalArgumentException(
          "a subscription's place is kept by the service, not by a CursorStore");
    }
    this.store = store;
    this.cursor = request.getCursor();
  }

  /** Asks the store where to begin; empty: it does not know. */
  ByteString load() {
    if (store.isEmpty()) {
      return ByteString.EMPTY;
    }
    try {
      ByteString loaded = store.get().load();
      if (loaded == null || loaded.isEmpty()) {
        return ByteString.EMPTY;
      }
      synchronized (this) {
        cursor = loaded;
      }
      return loaded;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** A response was given to the application. A gap that fails is not saved: it must fail again. */
  synchronized void given(AgentEventsResponse response, GapPolicy policy) {
    if (!response.getCursor().isEmpty()) {
      cursor = response.getCursor();
      unsaved =
          response.hasGap() && ResumeRules.failsAtGap(policy)
              ? ByteString.EMPTY
              : response.getCursor();
    }
  }

  /** The cursor of the response that was given last. */
  synchronized ByteString cursor() {
    return cursor;
  }

  /** The application is done with what it was given. Saves once for each response. */
  void save() {
    ByteString toSave;
    synchronized (this) {
      toSave = unsaved;
      unsaved = ByteString.EMPTY;
    }
    if (store.isPresent() && !toSave.isEmpty()) {
      try {
        store.get().save(toSave);
      } catch (IOException failed) {
        throw new UncheckedIOException(failed);
      }
    }
  }
}
