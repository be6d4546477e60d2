package io.chatbridge.client;

import io.chatbridge.v1.Ending;
import io.chatbridge.v1.GapPolicy;
import io.chatbridge.v1.ReconnectAdvice;
import io.grpc.Status;
import java.time.Duration;

/** What follows the end of one connection of a stream. */
final class ResumeRules {
  private static final int UNAUTHENTICATED_MAX = 3;
  private static final String CURSOR_GAP = "CURSOR_GAP";

  private ResumeRules() {}

  /** What to do: connect again after a wait, or end with an error or without one. */
  sealed interface Verdict permits Again, Stop {}

  /**
   * Connect again.
   *
   * @param atLeast the wait that was asked for, to which that of the backoff is added
   * @param afresh whether the backoff starts over
   */
  record Again(Duration atLeast, boolean afresh) implements Verdict {}

  /** End; {@code error} is null for an end without an error. */
  record Stop(ChatbridgeException error) implements Verdict {}

  /** Whether the server ends a stream after it told of a gap. */
  static boolean failsAtGap(GapPolicy policy) {
    return policy != GapPolicy.GAP_POLICY_EARLIEST && policy != GapPolicy.GAP_POLICY_LATEST;
  }

  /** After such a gap, whatever kept the server's own error away. */
  static Stop afterFailingGap(ChatbridgeException error) {
    if (error != null && error.reason().equals(CURSOR_GAP)) {
      return new Stop(error);
    }
    return new Stop(
        new ChatbridgeException(
            ErrorFacts.of(
                Status.Code.OUT_OF_RANGE,
                "events behind the start are gone, and the request says to fail then",
                CURSOR_GAP),
            error));
  }

  /** After the server announced the end. */
  static Verdict afterEnding(Ending ending, boolean resume) {
    if (!resume) {
      return new Stop(null);
    }
    if (ending.getReconnect() == ReconnectAdvice.RECONNECT_ADVICE_NEVER) {
      return new Stop(new StreamEndedException(ending));
    }
    boolean later = ending.getReconnect() == ReconnectAdvice.RECONNECT_ADVICE_LATER;
    return new Again(later ? Durations.of(ending.getRetryAfter()) : Duration.ZERO, true);
  }

  /**
   * After an error, of the server or of the way to it.
   *
   * @param refusals how many times in a row the credentials were refused, this one counted
   */
  static Verdict afterError(
      ChatbridgeException error, boolean resume, boolean tokenMayChange, int refusals) {
    boolean mended =
        switch (error.code()) {
          case UNAVAILABLE -> true;
          case RESOURCE_EXHAUSTED -> error.retryAfter().isPresent();
          // Without a reason of Chatbridge's they are the network's or a proxy's.
          case UNKNOWN, INTERNAL, CANCELLED, DEADLINE_EXCEEDED -> error.reason().isEmpty();
          case UNAUTHENTICATED -> tokenMayChange && refusals <= UNAUTHENTICATED_MAX;
          default -> false;
        };
    return resume && mended
        ? new Again(error.retryAfter().orElse(Duration.ZERO), false)
        : new Stop(error);
  }
}
