package io.chatbridge.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the server or the connection to it said. Tell errors apart by {@link #code} and {@link
 * #reason}; the text is for people.
 */
public class ChatbridgeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorFacts facts;

  ChatbridgeException(ErrorFacts facts, Throwable cause) {
    super(facts.line(), cause);
    this.facts = facts;
  }

  /** The gRPC status code. */
  public Status.Code code() {
    return facts.code();
  }

  /**
   * A sentence that says what happened. {@link #getMessage} has it with code, reason and reference.
   */
  public String sentence() {
    return facts.sentence();
  }

  /** The stable word for it, such as {@code UPSTREAM_RATE_LIMITED}; empty: Chatbridge gave none. */
  public String reason() {
    return facts.reason();
  }

  /** Further facts that Chatbridge gave. */
  public Map<String, String> metadata() {
    return facts.metadata();
  }

  /** The fields that are wrong, where the code is INVALID_ARGUMENT. */
  public List<FieldViolation> fieldViolations() {
    return facts.fieldViolations();
  }

  /** How long to wait before a repeat; empty: the server did not say. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(facts.retryAfter());
  }

  /** What the vendor's support asks for; empty: the vendor gave none. */
  public String referenceId() {
    return facts.referenceId();
  }

  /**
   * Whether it may have happened all the same: look before doing it again, or repeat it with the
   * same {@code request_id}.
   */
  public boolean outcomeUnknown() {
    return facts.outcomeUnknown();
  }
}
