package io.chatbridge.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads the {@code google.rpc.Status} that comes with an error. What cannot be read is left out:
 * the code still counts.
 */
final class ErrorReader {
  static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
  private static final String DOMAIN = "chatbridge";

  private String reason = "";
  private Map<String, String> metadata = Map.of();
  private final List<FieldViolation> fieldViolations = new ArrayList<>();
  private Duration retryAfter;

  private ErrorReader() {}

  /**
   * The error that a call ended with.
   *
   * @param sideEffects whether the call may have done something before the answer was lost
   */
  static ChatbridgeException read(Status status, Metadata trailers, boolean sideEffects) {
    ErrorReader reader = new ErrorReader();
    byte[] details = trailers == null ? null : trailers.get(DETAILS);
    if (details != null) {
      reader.readAll(details);
    }
    String sentence = status.getDescription();
    boolean outcomeUnknown =
        reader.reason.equals("UPSTREAM_OUTCOME_UNKNOWN")
            || (status.getCode() == Status.Code.DEADLINE_EXCEEDED
                && reader.reason.isEmpty()
                && sideEffects);
    ErrorFacts facts =
        new ErrorFacts(
            status.getCode(),
            sentence == null || sentence.isEmpty() ? "the server gave no description" : sentence,
            reader.reason,
            reader.metadata,
            List.copyOf(reader.fieldViolations),
            reader.retryAfter,
            outcomeUnknown);
    return new ChatbridgeException(facts, status.getCause());
  }

  private void readAll(byte[] bytes) {
    List<Any> details;
    try {
      details = com.google.rpc.Status.parseFrom(bytes).getDetailsList();
    } catch (InvalidProtocolBufferException unreadable) {
      return;
    }
    for (Any detail : details) {
      try {
        read(detail);
      } catch (InvalidProtocolBufferException unreadable) {
        continue;
      }
    }
  }

  private void read(Any detail) throws InvalidProtocolBufferException {
    if (detail.is(ErrorInfo.class)) {
      ErrorInfo info = detail.unpack(ErrorInfo.class);
      // Another's word, such as a proxy's, is none that a caller could look up here.
      if (info.getDomain().equals(DOMAIN)) {
        reason = info.getReason();
        metadata = Map.copyOf(info.getMetadataMap());
      }
    } else if (detail.is(BadRequest.class)) {
      for (BadRequest.FieldViolation violation :
          detail.unpack(BadRequest.class).getFieldViolationsList()) {
        fieldViolations.add(new FieldViolation(violation.getField(), violation.getDescription()));
      }
    } else if (detail.is(RetryInfo.class)) {
      RetryInfo retry = detail.unpack(RetryInfo.class);
      if (retry.hasRetryDelay()) {
        retryAfter = Durations.of(retry.getRetryDelay());
      }
    }
  }
}
