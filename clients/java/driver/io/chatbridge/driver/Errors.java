package io.chatbridge.driver;

import io.chatbridge.client.ChatbridgeException;
import io.chatbridge.client.StreamEndedException;
import io.chatbridge.driver.v1.Error;
import io.chatbridge.driver.v1.FieldViolation;
import java.time.Duration;

/** The library's errors as the runner reads them. */
final class Errors {
  private Errors() {}

  static Error of(ChatbridgeException error) {
    Error.Builder told =
        Error.newBuilder()
            .setCode(error.code().value())
            .setReason(error.reason())
            .setMessage(error.sentence())
            .putAllMetadata(error.metadata())
            .setReferenceId(error.referenceId())
            .setOutcomeUnknown(error.outcomeUnknown());
    error
        .fieldViolations()
        .forEach(
            violation ->
                told.addFieldViolations(
                    FieldViolation.newBuilder()
                        .setField(violation.field())
                        .setDescription(violation.description())));
    error.retryAfter().ifPresent(wait -> told.setRetryAfter(duration(wait)));
    if (error instanceof StreamEndedException) {
      told.setEndingReason(error.reason());
    }
    return told.build();
  }

  private static com.google.protobuf.Duration duration(Duration duration) {
    return com.google.protobuf.Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }
}
