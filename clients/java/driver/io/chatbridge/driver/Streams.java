package io.chatbridge.driver;

import io.chatbridge.client.AgentEvents;
import io.chatbridge.client.ChatbridgeException;
import io.chatbridge.client.EventOptions;
import io.chatbridge.driver.v1.Change;
import io.chatbridge.driver.v1.OpenStream;
import io.chatbridge.driver.v1.Take;
import io.chatbridge.driver.v1.Taken;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.ChangeAgentEventsRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;

/** The streams by their names. */
final class Streams {
  private final Clients clients;
  private final Map<String, AgentEvents> streams = new ConcurrentHashMap<>();

  Streams(Clients clients) {
    this.clients = clients;
  }

  void open(OpenStream request) throws IOException {
    EventOptions options = EventOptions.defaults();
    if (request.getWithoutResume()) {
      options = options.withoutResume();
    }
    if (request.getBuffer() > 0) {
      options = options.withBuffer(request.getBuffer());
    }
    if (!request.getCursorFile().isEmpty()) {
      options = options.withCursorStore(new CursorFile(Path.of(request.getCursorFile())));
    }
    streams.put(
        request.getStream(),
        clients
            .get(request.getClient())
            .agentEvents(AgentEventsRequest.parseFrom(request.getRequest()), options));
  }

  Taken take(Take request) throws InterruptedException {
    AgentEvents events = get(request.getStream());
    Taken.Builder taken = Taken.newBuilder();
    long until = System.nanoTime() + Clients.duration(request.getTimeout()).toNanos();
    // One thread iterates a stream at a time.
    synchronized (events) {
      int counted = 0;
      try {
        while (counted < request.getCount()) {
          AgentEventsResponse response = events.next(Duration.ofNanos(until - System.nanoTime()));
          taken.addResponses(response.toByteString());
          if (counts(response, request.getPayload())) {
            counted++;
          }
          if (response.hasEvent() && request.hasPause()) {
            Thread.sleep(Clients.duration(request.getPause()).toMillis());
          }
        }
      } catch (TimeoutException late) {
        // What there is, is the answer.
      } catch (NoSuchElementException end) {
        taken.setEnded(true);
      } catch (ChatbridgeException error) {
        taken.setEnded(true).setError(Errors.of(error));
      }
    }
    return taken.setCursor(events.cursor()).build();
  }

  void change(Change request) throws IOException {
    get(request.getStream()).change(ChangeAgentEventsRequest.parseFrom(request.getRequest()));
  }

  /** Ends a stream as an application does that is done with what it took: it goes on to the end. */
  void close(String name) {
    try (AgentEvents events = get(name)) {
      events.stop();
      synchronized (events) {
        events.iterator().hasNext();
      }
    }
  }

  private AgentEvents get(String name) {
    AgentEvents events = streams.get(name);
    if (events == null) {
      throw new IllegalArgumentException("no stream is called " + name);
    }
    return events;
  }

  private static boolean counts(AgentEventsResponse response, String payload) {
    return payload.isEmpty()
        || payload.equals(response.getPayloadCase().name().toLowerCase(Locale.ROOT));
  }
}
