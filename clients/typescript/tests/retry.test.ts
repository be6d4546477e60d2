import assert from "node:assert/strict";
import { test } from "node:test";
import { delayMs } from "#library/backoff.js";
import { ChatbridgeError, Code } from "#library/errors.js";
import { mayRepeat } from "#library/retry.js";

const repeats: [Code, string, number | undefined, attempt: number, idempotent: boolean, expected: boolean][] = [
  [Code.Unavailable, "STORE_UNAVAILABLE", undefined, 1, false, true],
  [Code.Unavailable, "", undefined, 1, true, true],
  [Code.Unavailable, "", undefined, 1, false, false],
  [Code.DeadlineExceeded, "UPSTREAM_TIMEOUT", undefined, 1, false, true],
  [Code.DeadlineExceeded, "", undefined, 1, true, false],
  [Code.DeadlineExceeded, "WAIT_TIMED_OUT", undefined, 1, true, false],
  [Code.ResourceExhausted, "CALLER_RATE_LIMITED", 10, 1, false, true],
  [Code.ResourceExhausted, "UPSTREAM_RATE_LIMITED", 10, 1, false, true],
  [Code.ResourceExhausted, "UPSTREAM_THROTTLED", 10, 1, false, true],
  [Code.ResourceExhausted, "UPSTREAM_THROTTLED", undefined, 1, true, false],
  [Code.ResourceExhausted, "SUBSCRIPTION_LIMIT", 10, 1, true, false],
  [Code.Aborted, "REQUEST_IN_FLIGHT", undefined, 1, true, false],
  [Code.Aborted, "REQUEST_IN_FLIGHT", undefined, 2, true, true],
  [Code.Aborted, "UPSTREAM_CONFLICT", undefined, 2, true, false],
  [Code.Unknown, "UPSTREAM_OUTCOME_UNKNOWN", undefined, 1, true, false],
  [Code.Internal, "", undefined, 1, true, false],
];

for (const [code, reason, retryAfterMs, attempt, idempotent, expected] of repeats) {
  const what = `${Code[code]} ${reason || "without a reason"}, attempt ${String(attempt)}`;
  test(`${what}, ${idempotent ? "idempotent" : "not idempotent"}: ${expected ? "again" : "raised"}`, () => {
    assert.equal(mayRepeat(new ChatbridgeError(code, "", { reason, retryAfterMs }), attempt, idempotent), expected);
  });
}

test("a wait is a random part of one that doubles up to a limit", () => {
  const backoff = { firstMs: 100, maxMs: 2_000 };
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((attempt) => delayMs(backoff, attempt, () => 1)),
    [100, 200, 400, 800, 1_600, 2_000, 2_000],
  );
  assert.equal(
    delayMs(backoff, 2, () => 0.25),
    100,
  );
});
