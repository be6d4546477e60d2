package io.chatbridge.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.RetryInfo;
import io.chatbridge.v1.ConversationServiceGrpc;
import io.chatbridge.v1.ListMessagesRequest;
import io.chatbridge.v1.ListMessagesResponse;
import io.chatbridge.v1.Message;
import io.chatbridge.v1.SendMessageRequest;
import io.chatbridge.v1.SendMessageResponse;
import io.chatbridge.v1.TransferConversationRequest;
import io.chatbridge.v1.TransferConversationResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class UnaryCallTest {
  private static final SendMessageRequest HELLO =
      SendMessageRequest.newBuilder().setConversationId("c1").build();
  private static final StatusRuntimeException AWAY =
      FakeService.error(Status.Code.UNAVAILABLE, "STORE_UNAVAILABLE");
  private static final StatusRuntimeException CUT = Status.UNAVAILABLE.asRuntimeException();

  private final Conversations conversations = new Conversations();
  private FakeService service;

  @BeforeEach
  void start() throws Exception {
    service = new FakeService(server -> server.addService(conversations));
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void repeatsWithTheSameRequestId() {
    conversations.failWith(AWAY, CUT, AWAY);
    try (Chatbridge chatbridge = service.client(options -> options.tenant("acme"))) {
      chatbridge.sendMessage(HELLO);
    }
    assertEquals(4, conversations.sent.size());
    SendMessageRequest first = conversations.sent.get(0);
    assertEquals(4, UUID.fromString(first.getRequestId()).version());
    assertEquals("acme", first.getTenant());
    assertEquals(List.of(first, first, first, first), conversations.sent);
    assertEquals("", HELLO.getRequestId());
  }

  @Test
  void givesUpAfterTheLastAttempt() {
    conversations.failWith(AWAY, AWAY, AWAY);
    try (Chatbridge chatbridge = service.client(options -> options.attempts(3))) {
      ChatbridgeException error =
          assertThrows(ChatbridgeException.class, () -> chatbridge.sendMessage(HELLO));
      assertEquals("STORE_UNAVAILABLE", error.reason());
    }
    assertEquals(3, conversations.sent.size());
  }

  @Test
  void leavesAloneWhatMayHaveHappened() {
    conversations.failWith(CUT);
    try (Chatbridge chatbridge = service.client()) {
      TransferConversationRequest transfer = TransferConversationRequest.getDefaultInstance();
      assertThrows(ChatbridgeException.class, () -> chatbridge.transferConversation(transfer));
    }
    assertEquals(1, conversations.transfers.get());
  }

  @Test
  void raisesAtOnceWhatCannotBeWaitedFor() {
    RetryInfo tomorrow =
        RetryInfo.newBuilder()
            .setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(86_400))
            .build();
    conversations.failWith(
        FakeService.error(Status.Code.RESOURCE_EXHAUSTED, "CALLER_RATE_LIMITED", tomorrow));
    try (Chatbridge chatbridge = service.client()) {
      ChatbridgeException error =
          assertThrows(ChatbridgeException.class, () -> chatbridge.sendMessage(HELLO));
      assertEquals(Duration.ofDays(1), error.retryAfter().orElseThrow());
    }
    assertEquals(1, conversations.sent.size());
  }

  @Test
  void asksForTheTokenBeforeEachAttempt() {
    conversations.failWith(AWAY);
    AtomicInteger asked = new AtomicInteger();
    try (Chatbridge chatbridge =
        service.client(options -> options.token(() -> "t" + asked.incrementAndGet()))) {
      chatbridge.sendMessage(HELLO);
    }
    assertEquals(
        List.of("Bearer t1", "Bearer t2"),
        service.headers.stream().map(sent -> sent.get(Transport.AUTHORIZATION)).toList());
  }

  @Test
  void raisesWhatTheTokenRaises() {
    RuntimeException broken = new IllegalStateException("no token today");
    try (Chatbridge chatbridge =
        service.client(
            options ->
                options.token(
                    () -> {
                      throw broken;
                    }))) {
      assertSame(
          broken, assertThrows(IllegalStateException.class, () -> chatbridge.sendMessage(HELLO)));
    }
    assertTrue(conversations.sent.isEmpty());
  }

  @Test
  void hasADeadline() {
    conversations.silent = true;
    try (Chatbridge chatbridge = service.client()) {
      ChatbridgeException error =
          assertThrows(
              ChatbridgeException.class,
              () -> chatbridge.withTimeout(Duration.ofMillis(1)).sendMessage(HELLO));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, error.code());
      assertTrue(error.outcomeUnknown());
    }
  }

  @Test
  void isCancelledWithItsAnswer() throws Exception {
    conversations.silent = true;
    try (Chatbridge chatbridge = service.client()) {
      CompletableFuture<SendMessageResponse> answer =
          chatbridge.callAsync(ConversationServiceGrpc.getSendMessageMethod(), HELLO);
      answer.cancel(true);
      assertTrue(answer.isCancelled());
    }
  }

  @Test
  void readsAllPages() {
    List<String> texts = new ArrayList<>();
    try (Chatbridge chatbridge = service.client()) {
      ListMessagesRequest request =
          ListMessagesRequest.newBuilder().setConversationId("c1").build();
      chatbridge.iterateMessages(request).forEach(message -> texts.add(message.getText()));
    }
    assertEquals(List.of("1", "2", "4"), texts);
  }

  @Test
  void refusesCallsOfAClosedClient() {
    Chatbridge chatbridge = service.client();
    chatbridge.close();
    assertThrows(IllegalStateException.class, () -> chatbridge.sendMessage(HELLO));
    assertFalse(chatbridge.toString().contains("token"));
  }

  private static final class Conversations
      extends ConversationServiceGrpc.ConversationServiceImplBase {
    final List<SendMessageRequest> sent = new CopyOnWriteArrayList<>();
    final AtomicInteger transfers = new AtomicInteger();
    private final Queue<StatusRuntimeException> failures = new ArrayDeque<>();
    volatile boolean silent;

    void failWith(StatusRuntimeException... errors) {
      failures.addAll(Arrays.asList(errors));
    }

    @Override
    public void sendMessage(
        SendMessageRequest request, StreamObserver<SendMessageResponse> answer) {
      sent.add(request);
      if (!silent) {
        answer(answer, SendMessageResponse.getDefaultInstance());
      }
    }

    @Override
    public void transferConversation(
        TransferConversationRequest request, StreamObserver<TransferConversationResponse> answer) {
      transfers.incrementAndGet();
      answer(answer, TransferConversationResponse.getDefaultInstance());
    }

    /** Four pages, of which the third is empty. */
    @Override
    public void listMessages(
        ListMessagesRequest request, StreamObserver<ListMessagesResponse> answer) {
      int page = request.getPageToken().isEmpty() ? 1 : Integer.parseInt(request.getPageToken());
      ListMessagesResponse.Builder response = ListMessagesResponse.newBuilder();
      if (page != 3) {
        response.addMessages(Message.newBuilder().setText("" + page));
      }
      answer(answer, response.setNextPageToken(page < 4 ? "" + (page + 1) : "").build());
    }

    private <R> void answer(StreamObserver<R> answer, R response) {
      StatusRuntimeException failure = failures.poll();
      if (failure != null) {
        answer.onError(failure);
      } else {
        answer.onNext(response);
        answer.onCompleted();
      }
    }
  }
}
