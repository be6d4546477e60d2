import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ChatbridgeError, StreamEndedError } from "@chatbridge/client/browser";
import { EndingReason } from "@chatbridge/client/v1";
import { type Error as DriverError, ErrorSchema } from "./gen/driver_pb.js";

/** The library's error; what else was thrown is thrown again, since the library should not have. */
export function toError(thrown: unknown): DriverError {
  if (!(thrown instanceof ChatbridgeError)) {
    throw thrown;
  }
  return create(ErrorSchema, {
    code: thrown.code,
    reason: thrown.reason,
    message: thrown.rawMessage,
    metadata: { ...thrown.metadata },
    fieldViolations: thrown.fieldViolations.map(({ field, description }) => ({ field, description })),
    ...(thrown.retryAfterMs !== undefined && { retryAfter: durationFromMs(thrown.retryAfterMs) }),
    referenceId: thrown.referenceId,
    outcomeUnknown: thrown.outcomeUnknown,
    endingReason: thrown instanceof StreamEndedError ? `ENDING_REASON_${EndingReason[thrown.ending.reason]}` : "",
  });
}
