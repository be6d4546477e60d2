package io.chatbridge.client;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import java.util.Set;

/** Which calls may be attempted again, and after which errors. */
final class RetryRules {
  private static final Set<String> LIMITS =
      Set.of("CALLER_RATE_LIMITED", "UPSTREAM_RATE_LIMITED", "UPSTREAM_THROTTLED");

  private RetryRules() {}

  /** What the contract says of a call. */
  static IdempotencyLevel level(MethodDescriptor<?, ?> method) {
    return method.getSchemaDescriptor() instanceof ProtoMethodDescriptorSupplier supplier
        ? supplier.getMethodDescriptor().getOptions().getIdempotencyLevel()
        : IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
  }

  /** Whether a call may have changed something. */
  static boolean hasSideEffects(MethodDescriptor<?, ?> method) {
    return level(method) != IdempotencyLevel.NO_SIDE_EFFECTS;
  }

  /**
   * Whether a call is safe to attempt again after an error.
   *
   * @param attempts how many were made, that one counted
   */
  static boolean allow(ChatbridgeException error, IdempotencyLevel level, int attempts) {
    String reason = error.reason();
    return switch (error.code()) {
      case UNAVAILABLE -> !reason.isEmpty() || level != IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
      case DEADLINE_EXCEEDED -> reason.equals("UPSTREAM_TIMEOUT");
      case RESOURCE_EXHAUSTED -> error.retryAfter().isPresent() && LIMITS.contains(reason);
      // It may be an own attempt that is still running.
      case ABORTED -> reason.equals("REQUEST_IN_FLIGHT") && attempts > 1;
      default -> false;
    };
  }
}
