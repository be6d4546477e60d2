import { ChatbridgeError, Code } from "./errors.js";

const THROTTLED = new Set(["CALLER_RATE_LIMITED", "UPSTREAM_RATE_LIMITED", "UPSTREAM_THROTTLED"]);

/**
 * Whether a call with one request may be attempted again after this error. `attempt` is the number of the one that failed, from
 * 1; `idempotent`, whether the contract sets the call's `idempotency_level`.
 */
export function mayRepeat(error: ChatbridgeError, attempt: number, idempotent: boolean): boolean {
  switch (error.code) {
    case Code.Unavailable:
      // With a reason, Chatbridge says that nothing was done. Without one, the call may have arrived.
      return error.reason !== "" || idempotent;
    case Code.DeadlineExceeded:
      return error.reason === "UPSTREAM_TIMEOUT";
    case Code.ResourceExhausted:
      return error.retryAfterMs !== undefined && THROTTLED.has(error.reason);
    case Code.Aborted:
      // It may be an attempt before this one that still runs.
      return error.reason === "REQUEST_IN_FLIGHT" && attempt > 1;
    default:
      return false;
  }
}
