package io.chatbridge.client;

import static io.chatbridge.client.Responses.cursor;
import static io.chatbridge.client.Responses.event;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.ChangeAgentEventsRequest;
import io.chatbridge.v1.EndingReason;
import io.chatbridge.v1.GapPolicy;
import io.chatbridge.v1.ReconnectAdvice;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class AgentEventsTest {
  private static final AgentEventsRequest ALL =
      AgentEventsRequest.newBuilder().setCursor(cursor("start")).build();

  private FakeService service;
  private Chatbridge chatbridge;

  @BeforeEach
  void start() throws IOException {
    service = new FakeService();
    chatbridge = service.client();
  }

  @AfterEach
  void stop() {
    chatbridge.close();
    service.close();
  }

  @Test
  void goesOnAfterABreakBehindWhatItReceived() throws Exception {
    try (AgentEvents events = chatbridge.agentEvents(ALL)) {
      FakeService.Opened first = service.next();
      assertEquals(cursor("start"), first.request().getCursor());
      first.send(event(1), event(2));
      first.fail(Status.INTERNAL);
      FakeService.Opened second = service.next();
      assertEquals(cursor("c2"), second.request().getCursor());
      second.send(event(3));

      Iterator<AgentEventsResponse> iterator = events.iterator();
      assertEquals(cursor("start"), events.cursor());
      assertEquals(event(1), iterator.next());
      assertEquals(cursor("c1"), events.cursor());
      assertEquals(List.of(event(2), event(3)), List.of(iterator.next(), iterator.next()));
    }
  }

  @Test
  void opensASubscriptionAsItWas() throws Exception {
    AgentEventsRequest orders = AgentEventsRequest.newBuilder().setSubscription("orders").build();
    try (AgentEvents events = chatbridge.agentEvents(orders)) {
      FakeService.Opened first = service.next();
      first.send(event(1));
      first.fail(Status.UNAVAILABLE);
      assertEquals(orders, service.next().request());
      assertEquals(event(1), events.iterator().next());
    }
  }

  @Test
  void raisesWhatCannotBeMendedBehindWhatCameBefore() throws Exception {
    AgentEvents events = chatbridge.agentEvents(ALL);
    FakeService.Opened stream = service.next();
    stream.send(event(1));
    stream.responses().onError(FakeService.error(Status.Code.OUT_OF_RANGE, "CURSOR_GAP"));
    Iterator<AgentEventsResponse> iterator = events.iterator();
    assertEquals(event(1), iterator.next());
    assertEquals("CURSOR_GAP", assertThrows(ChatbridgeException.class, iterator::hasNext).reason());
  }

  @Test
  void failsAtAGapThoughTheConnectionBreaks() throws Exception {
    List<ByteString> saved = new ArrayList<>();
    EventOptions kept = EventOptions.defaults().withCursorStore(store("", saved));
    Iterator<AgentEventsResponse> iterator = chatbridge.agentEvents(ALL, kept).iterator();
    FakeService.Opened stream = service.next();
    stream.send(event(1), Responses.gap());
    stream.fail(Status.UNAVAILABLE);
    assertEquals(List.of(event(1), Responses.gap()), List.of(iterator.next(), iterator.next()));
    ChatbridgeException error = assertThrows(ChatbridgeException.class, iterator::hasNext);
    assertEquals("CURSOR_GAP", error.reason());
    assertEquals(Status.Code.OUT_OF_RANGE, error.code());
    assertEquals(List.of(cursor("c1")), saved);
  }

  @Test
  void goesOnBehindAGapWhereItMay() throws Exception {
    AgentEventsRequest lenient =
        ALL.toBuilder().setGapPolicy(GapPolicy.GAP_POLICY_EARLIEST).build();
    try (AgentEvents events = chatbridge.agentEvents(lenient)) {
      FakeService.Opened stream = service.next();
      stream.send(Responses.gap());
      stream.fail(Status.UNAVAILABLE);
      assertEquals(cursor("gap"), service.next().request().getCursor());
      assertEquals(Responses.gap(), events.iterator().next());
    }
  }

  @Test
  void givesAnEndingAndThenRaisesIt() throws Exception {
    AgentEvents events = chatbridge.agentEvents(ALL);
    AgentEventsResponse takenOver =
        Responses.ending(
            EndingReason.ENDING_REASON_TAKEN_OVER, ReconnectAdvice.RECONNECT_ADVICE_NEVER);
    service.next().send(takenOver);
    Iterator<AgentEventsResponse> iterator = events.iterator();
    assertEquals(takenOver, iterator.next());
    assertEquals(
        takenOver.getEnding(),
        assertThrows(StreamEndedException.class, iterator::hasNext).ending());
  }

  @Test
  void withoutResumingEndsAtAnEndingAndRaisesABreak() throws Exception {
    EventOptions once = EventOptions.defaults().withoutResume();
    AgentEvents events = chatbridge.agentEvents(ALL, once);
    AgentEventsResponse draining =
        Responses.ending(EndingReason.ENDING_REASON_DRAINING, ReconnectAdvice.RECONNECT_ADVICE_NOW);
    service.next().send(draining);
    Iterator<AgentEventsResponse> iterator = events.iterator();
    assertEquals(draining, iterator.next());
    assertFalse(iterator.hasNext());

    AgentEvents broken = chatbridge.agentEvents(ALL, once);
    service.next().responses().onCompleted();
    assertEquals(
        Status.Code.UNAVAILABLE,
        assertThrows(ChatbridgeException.class, broken.iterator()::hasNext).code());
  }

  @Test
  void givesUpASilentConnectionAndTakesANewOne() throws Exception {
    try (AgentEvents events = chatbridge.agentEvents(ALL)) {
      service.next().send(Responses.heartbeat(Duration.ofMillis(1)));
      assertEquals(cursor("beat"), service.next().request().getCursor());
      assertEquals(2, service.connections.size());
      assertTrue(events.iterator().hasNext());
    }
  }

  @Test
  void readsNoFurtherThanItsBuffer() throws Exception {
    EventOptions small = EventOptions.defaults().withBuffer(2);
    try (AgentEvents events = chatbridge.agentEvents(ALL, small)) {
      FakeService.Opened stream = service.next();
      int sent = 0;
      // In this process a server may be ahead by what the client has asked for, and little more.
      while (sent < 1000 && stream.responses().isReady()) {
        stream.send(event(++sent));
      }
      assertTrue(sent < 1000, "the client asked for everything");
      Iterator<AgentEventsResponse> iterator = events.iterator();
      for (int number = 1; number <= sent; number++) {
        assertEquals(event(number), iterator.next());
      }
    }
  }

  @Test
  void aWaitThatTimesOutLosesNothing() throws Exception {
    try (AgentEvents events = chatbridge.agentEvents(ALL)) {
      FakeService.Opened stream = service.next();
      assertThrows(TimeoutException.class, () -> events.next(Duration.ZERO));
      stream.send(event(1));
      assertEquals(event(1), events.next(FakeService.PATIENCE));
    }
  }

  @Test
  void savesWhatWasProcessed() throws Exception {
    List<ByteString> saved = new ArrayList<>();
    EventOptions kept = EventOptions.defaults().withCursorStore(store("kept", saved));
    AgentEvents events = chatbridge.agentEvents(ALL, kept);
    FakeService.Opened stream = service.next();
    assertEquals(cursor("kept"), stream.request().getCursor());
    stream.send(event(1), event(2), event(3));
    Iterator<AgentEventsResponse> iterator = events.iterator();
    iterator.next();
    assertEquals(List.of(), saved);
    iterator.next();
    assertEquals(List.of(cursor("c1")), saved);
    events.stop();
    assertFalse(iterator.hasNext());
    assertEquals(List.of(cursor("c1"), cursor("c2")), saved);
  }

  @Test
  void closingSavesNothing() throws Exception {
    List<ByteString> saved = new ArrayList<>();
    EventOptions kept = EventOptions.defaults().withCursorStore(store("", saved));
    try (AgentEvents events = chatbridge.agentEvents(ALL, kept)) {
      service.next().send(event(1));
      events.iterator().next();
    }
    assertEquals(List.of(), saved);
  }

  @Test
  void raisesWhatTheStoreRaises() {
    IOException full = new IOException("the disk is full");
    CursorStore broken =
        new CursorStore() {
          @Override
          public ByteString load() throws IOException {
            throw full;
          }

          @Override
          public void save(ByteString cursor) {}
        };
    AgentEvents events =
        chatbridge.agentEvents(ALL, EventOptions.defaults().withCursorStore(broken));
    assertSame(
        full, assertThrows(UncheckedIOException.class, events.iterator()::hasNext).getCause());
    AgentEventsRequest subscribed = AgentEventsRequest.newBuilder().setSubscription("s").build();
    assertThrows(
        IllegalArgumentException.class,
        () -> chatbridge.agentEvents(subscribed, EventOptions.defaults().withCursorStore(broken)));
  }

  @Test
  void changesHoldOverABreak() throws Exception {
    AgentEventsRequest some =
        AgentEventsRequest.newBuilder().setChangeable(true).addConversationIds("a").build();
    try (AgentEvents events = chatbridge.agentEvents(some)) {
      // It waits for the stream's id, and so does this test in another thread.
      CompletableFuture<Void> told = change(events, "b");
      FakeService.Opened first = service.next();
      first.send(Responses.streamId("s1"), Responses.changed(1));
      told.get(10, TimeUnit.SECONDS);
      assertEquals(List.of("b"), service.changes.take().getAddConversationIdsList());
      first.send(Responses.streamId("s2"));
      Iterator<AgentEventsResponse> iterator = events.iterator();
      while (!iterator.next().equals(Responses.streamId("s2"))) {
        // What came before.
      }
      change(events, "c").get(10, TimeUnit.SECONDS);
      assertEquals("s2", service.changes.take().getStreamId());
      first.fail(Status.UNAVAILABLE);

      FakeService.Opened second = service.next();
      assertEquals(List.of("a", "b"), second.request().getConversationIdsList());
      second.send(Responses.streamId("s3"));
      ChangeAgentEventsRequest again = service.changes.take();
      assertEquals("s3", again.getStreamId());
      assertEquals(List.of("c"), again.getAddConversationIdsList());
    }
  }

  private static CompletableFuture<Void> change(AgentEvents events, String conversation) {
    ChangeAgentEventsRequest request =
        ChangeAgentEventsRequest.newBuilder().addAddConversationIds(conversation).build();
    return CompletableFuture.runAsync(() -> events.change(request));
  }

  @Test
  void endsWithItsClient() throws Exception {
    AgentEvents events = chatbridge.agentEvents(ALL);
    service.next().send(event(1));
    chatbridge.close();
    assertFalse(events.iterator().hasNext());
    assertThrows(NoSuchElementException.class, events.iterator()::next);
    assertThrows(IllegalStateException.class, () -> chatbridge.agentEvents(ALL));
  }

  private static CursorStore store(String kept, List<ByteString> saved) {
    return new CursorStore() {
      @Override
      public ByteString load() {
        return cursor(kept);
      }

      @Override
      public void save(ByteString cursor) {
        saved.add(cursor);
      }
    };
  }
}
