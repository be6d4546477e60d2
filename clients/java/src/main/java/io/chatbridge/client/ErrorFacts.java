package io.chatbridge.client;

import io.grpc.Status;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What a status and its details said; {@code retryAfter} is null where they did not. */
record ErrorFacts(
    Status.Code code,
    String sentence,
    String reason,
    Map<String, String> metadata,
    List<FieldViolation> fieldViolations,
    Duration retryAfter,
    boolean outcomeUnknown)
    implements Serializable {

  static ErrorFacts of(Status.Code code, String sentence, String reason) {
    return new ErrorFacts(code, sentence, reason, Map.of(), List.of(), null, false);
  }

  String referenceId() {
    return metadata.getOrDefault("reference_id", "");
  }

  /** All that people need, on one line. */
  String line() {
    StringBuilder line = new StringBuilder(code.name());
    if (!reason.isEmpty()) {
      line.append(" (").append(reason).append(')');
    }
    line.append(": ").append(sentence.replaceAll("\\R", " "));
    if (!referenceId().isEmpty()) {
      line.append(" [reference ").append(referenceId()).append(']');
    }
    return line.toString();
  }
}
