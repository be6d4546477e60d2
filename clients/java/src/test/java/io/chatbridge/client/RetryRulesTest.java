package io.chatbridge.client;

import static com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
import static com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel.IDEMPOTENT;
import static com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel.NO_SIDE_EFFECTS;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import io.chatbridge.v1.ConversationServiceGrpc;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryRulesTest {
  @ParameterizedTest
  @CsvSource({
    "UNAVAILABLE, STORE_UNAVAILABLE, false, IDEMPOTENCY_UNKNOWN, 1, true",
    "UNAVAILABLE, '', false, IDEMPOTENCY_UNKNOWN, 1, false",
    "UNAVAILABLE, '', false, IDEMPOTENT, 1, true",
    "UNAVAILABLE, '', false, NO_SIDE_EFFECTS, 1, true",
    "DEADLINE_EXCEEDED, UPSTREAM_TIMEOUT, false, IDEMPOTENCY_UNKNOWN, 1, true",
    "DEADLINE_EXCEEDED, '', false, NO_SIDE_EFFECTS, 1, false",
    "RESOURCE_EXHAUSTED, CALLER_RATE_LIMITED, true, IDEMPOTENCY_UNKNOWN, 1, true",
    "RESOURCE_EXHAUSTED, UPSTREAM_RATE_LIMITED, true, IDEMPOTENCY_UNKNOWN, 1, true",
    "RESOURCE_EXHAUSTED, UPSTREAM_THROTTLED, true, IDEMPOTENCY_UNKNOWN, 1, true",
    "RESOURCE_EXHAUSTED, UPSTREAM_THROTTLED, false, IDEMPOTENT, 1, false",
    "RESOURCE_EXHAUSTED, STREAM_LIMIT, true, IDEMPOTENT, 1, false",
    "ABORTED, REQUEST_IN_FLIGHT, false, IDEMPOTENT, 1, false",
    "ABORTED, REQUEST_IN_FLIGHT, false, IDEMPOTENT, 2, true",
    "ABORTED, UPSTREAM_CONFLICT, false, IDEMPOTENT, 2, false",
    "UNKNOWN, UPSTREAM_OUTCOME_UNKNOWN, false, IDEMPOTENT, 1, false",
    "INTERNAL, '', false, NO_SIDE_EFFECTS, 1, false",
  })
  void repeatsOnlyWhatIsSafe(
      Status.Code code,
      String reason,
      boolean retryInfo,
      IdempotencyLevel level,
      int attempts,
      boolean allowed) {
    Duration retryAfter = retryInfo ? Duration.ofSeconds(1) : null;
    ChatbridgeException error =
        new ChatbridgeException(
            new ErrorFacts(code, "a sentence", reason, Map.of(), List.of(), retryAfter, false),
            null);
    assertEquals(allowed, RetryRules.allow(error, level, attempts));
  }

  @Test
  void asksTheContract() {
    assertEquals(
        NO_SIDE_EFFECTS, RetryRules.level(ConversationServiceGrpc.getGetConversationMethod()));
    assertEquals(IDEMPOTENT, RetryRules.level(ConversationServiceGrpc.getSendMessageMethod()));
    assertEquals(
        IDEMPOTENCY_UNKNOWN,
        RetryRules.level(ConversationServiceGrpc.getTransferConversationMethod()));
  }
}
