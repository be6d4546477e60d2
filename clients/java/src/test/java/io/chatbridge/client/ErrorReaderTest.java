package io.chatbridge.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ErrorReaderTest {
  private static final Any INFO =
      Any.pack(
          ErrorInfo.newBuilder()
              .setDomain("chatbridge")
              .setReason("UPSTREAM_INVALID")
              .putMetadata("reference_id", "r-7")
              .putMetadata("http_status", "400")
              .build());

  @Test
  void readsWhatTheServerSaid() {
    Any wrong =
        Any.pack(
            BadRequest.newBuilder()
                .addFieldViolations(
                    BadRequest.FieldViolation.newBuilder()
                        .setField("user.name")
                        .setDescription("is too long"))
                .build());
    Any retry =
        Any.pack(
            RetryInfo.newBuilder()
                .setRetryDelay(
                    com.google.protobuf.Duration.newBuilder().setSeconds(2).setNanos(500_000_000))
                .build());
    ChatbridgeException error = read(Status.INVALID_ARGUMENT, INFO, wrong, retry);

    assertEquals(Status.Code.INVALID_ARGUMENT, error.code());
    assertEquals("a\nsentence", error.sentence());
    assertEquals("UPSTREAM_INVALID", error.reason());
    assertEquals(Map.of("reference_id", "r-7", "http_status", "400"), error.metadata());
    assertEquals(List.of(new FieldViolation("user.name", "is too long")), error.fieldViolations());
    assertEquals(Optional.of(Duration.ofMillis(2500)), error.retryAfter());
    assertEquals("r-7", error.referenceId());
    assertEquals(
        "INVALID_ARGUMENT (UPSTREAM_INVALID): a sentence [reference r-7]", error.getMessage());
  }

  @Test
  void leavesOutWhatCannotBeRead() {
    Any broken = INFO.toBuilder().setValue(ByteString.copyFromUtf8("\u0001\u0002")).build();
    ChatbridgeException error = read(Status.NOT_FOUND, broken);
    assertEquals(Status.Code.NOT_FOUND, error.code());
    assertEquals("", error.reason());

    Metadata trailers = new Metadata();
    trailers.put(ErrorReader.DETAILS, new byte[] {1, 2, 3});
    assertEquals(Status.Code.INTERNAL, ErrorReader.read(Status.INTERNAL, trailers, true).code());
    assertEquals(
        "INTERNAL: the server gave no description",
        ErrorReader.read(Status.INTERNAL, null, true).getMessage());
  }

  @Test
  void passesOverAnothersReason() {
    Any foreign =
        Any.pack(ErrorInfo.newBuilder().setDomain("proxy.example").setReason("BUSY").build());
    assertEquals("", read(Status.UNAVAILABLE, foreign).reason());
  }

  @Test
  void knowsWhetherItMayHaveHappened() {
    Any unknown =
        Any.pack(
            ErrorInfo.newBuilder()
                .setDomain("chatbridge")
                .setReason("UPSTREAM_OUTCOME_UNKNOWN")
                .build());
    assertTrue(read(Status.UNKNOWN, unknown).outcomeUnknown());
    assertTrue(read(Status.DEADLINE_EXCEEDED).outcomeUnknown());
    assertFalse(read(Status.DEADLINE_EXCEEDED, INFO).outcomeUnknown());
    assertFalse(read(Status.UNAVAILABLE).outcomeUnknown());
    assertFalse(ErrorReader.read(Status.DEADLINE_EXCEEDED, null, false).outcomeUnknown());
  }

  private static ChatbridgeException read(Status status, Any... details) {
    Metadata trailers = new Metadata();
    trailers.put(
        ErrorReader.DETAILS,
        com.google.rpc.Status.newBuilder().addAllDetails(List.of(details)).build().toByteArray());
    return ErrorReader.read(status.withDescription("a\nsentence"), trailers, true);
  }
}
