package io.chatbridge.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.chatbridge.v1.Ending;
import io.chatbridge.v1.EndingReason;
import io.chatbridge.v1.ReconnectAdvice;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResumeRulesTest {
  @ParameterizedTest
  @CsvSource({
    "UNAVAILABLE, '', true",
    "UNAVAILABLE, DRAINING, true",
    "UNKNOWN, '', true",
    "INTERNAL, '', true",
    "INTERNAL, STORE_CORRUPT, false",
    "CANCELLED, '', true",
    "DEADLINE_EXCEEDED, '', true",
    "RESOURCE_EXHAUSTED, STREAM_LIMIT, false",
    "OUT_OF_RANGE, CURSOR_GAP, false",
    "INVALID_ARGUMENT, CURSOR_INVALID, false",
    "PERMISSION_DENIED, TENANT_DENIED, false",
  })
  void connectsAgainAfterABreak(Status.Code code, String reason, boolean again) {
    ChatbridgeException error = error(code, reason, null);
    if (again) {
      assertEquals(
          new ResumeRules.Again(Duration.ZERO, false),
          ResumeRules.afterError(error, true, false, 0));
    } else {
      assertEquals(new ResumeRules.Stop(error), ResumeRules.afterError(error, true, false, 0));
    }
    assertEquals(new ResumeRules.Stop(error), ResumeRules.afterError(error, false, false, 0));
  }

  @Test
  void waitsAsLongAsItIsTold() {
    ChatbridgeException limit =
        error(Status.Code.RESOURCE_EXHAUSTED, "STREAM_LIMIT", Duration.ofSeconds(3));
    assertEquals(
        new ResumeRules.Again(Duration.ofSeconds(3), false),
        ResumeRules.afterError(limit, true, false, 0));
  }

  @Test
  void triesANewTokenThreeTimes() {
    ChatbridgeException refused = error(Status.Code.UNAUTHENTICATED, "CREDENTIALS_EXPIRED", null);
    assertInstanceOf(ResumeRules.Again.class, ResumeRules.afterError(refused, true, true, 3));
    assertInstanceOf(ResumeRules.Stop.class, ResumeRules.afterError(refused, true, true, 4));
    assertInstanceOf(ResumeRules.Stop.class, ResumeRules.afterError(refused, true, false, 1));
  }

  @Test
  void obeysAnEnding() {
    Ending.Builder ending =
        Ending.newBuilder()
            .setReason(EndingReason.ENDING_REASON_DRAINING)
            .setRetryAfter(com.google.protobuf.Duration.newBuilder().setSeconds(7));
    assertEquals(
        new ResumeRules.Again(Duration.ZERO, true),
        ResumeRules.afterEnding(
            ending.setReconnect(ReconnectAdvice.RECONNECT_ADVICE_NOW).build(), true));
    assertEquals(
        new ResumeRules.Again(Duration.ofSeconds(7), true),
        ResumeRules.afterEnding(
            ending.setReconnect(ReconnectAdvice.RECONNECT_ADVICE_LATER).build(), true));
    assertEquals(new ResumeRules.Stop(null), ResumeRules.afterEnding(ending.build(), false));
  }

  @Test
  void endsForGoodWithTheEnding() {
    StreamEndedException takenOver = ended(EndingReason.ENDING_REASON_TAKEN_OVER);
    assertEquals(Status.Code.ABORTED, takenOver.code());
    assertEquals("ENDING_REASON_TAKEN_OVER", takenOver.reason());
    assertEquals(
        Status.Code.PERMISSION_DENIED, ended(EndingReason.ENDING_REASON_UNAUTHORIZED).code());
    Ending newer = Ending.newBuilder().setReasonValue(99).build();
    assertEquals("ENDING_REASON_99", new StreamEndedException(newer).reason());
  }

  private static StreamEndedException ended(EndingReason reason) {
    Ending ending =
        Ending.newBuilder()
            .setReason(reason)
            .setReconnect(ReconnectAdvice.RECONNECT_ADVICE_NEVER)
            .build();
    ResumeRules.Stop stop =
        assertInstanceOf(ResumeRules.Stop.class, ResumeRules.afterEnding(ending, true));
    StreamEndedException error = assertInstanceOf(StreamEndedException.class, stop.error());
    assertSame(ending, error.ending());
    return error;
  }

  private static ChatbridgeException error(Status.Code code, String reason, Duration retryAfter) {
    return new ChatbridgeException(
        new ErrorFacts(code, "a sentence", reason, Map.of(), List.of(), retryAfter, false), null);
  }
}
