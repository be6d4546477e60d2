import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { ChatbridgeError, Code, codeName, readError, StreamEndedError } from "#library/errors.js";
import { BadRequestSchema, ErrorInfoSchema } from "#library/gen/google/rpc/error_details_pb.js";
import { EndingReason, EndingSchema } from "#library/v1.js";
import { incoming, status } from "./fake-link.js";

test("reads reason, metadata, fields and wait, and writes them on one line", () => {
  const thrown = status(Code.InvalidArgument, "", 1_500);
  const info = { domain: "chatbridge", reason: "UPSTREAM_INVALID", metadata: { reference_id: "r-7" } };
  const fields = { fieldViolations: [{ field: "user.name", description: "is long" }] };
  thrown.details.push(
    incoming(anyPack(ErrorInfoSchema, create(ErrorInfoSchema, info))),
    incoming(anyPack(BadRequestSchema, create(BadRequestSchema, fields))),
  );
  const error = readError(thrown, true);
  assert.equal(error.reason, "UPSTREAM_INVALID");
  assert.equal(error.referenceId, "r-7");
  assert.deepEqual(error.fieldViolations, [{ field: "user.name", description: "is long" }]);
  assert.equal(error.retryAfterMs, 1_500);
  assert.equal(error.message, "INVALID_ARGUMENT (UPSTREAM_INVALID): a sentence [reference r-7]");
});

test("details that cannot be read are left out, and the code counts", () => {
  const thrown = status(Code.NotFound);
  thrown.details.push({ type: "google.rpc.ErrorInfo", value: Uint8Array.of(0xff, 0xff) });
  const error = readError(thrown, true);
  assert.deepEqual([error.code, error.reason], [Code.NotFound, ""]);
});

test("a reason of somebody else's is none", () => {
  const thrown = status(Code.Unavailable);
  const info = create(ErrorInfoSchema, { domain: "proxy.example", reason: "NO_BACKEND" });
  thrown.details.push(incoming(anyPack(ErrorInfoSchema, info)));
  assert.equal(readError(thrown, true).reason, "");
});

test("what breaks without a status is UNAVAILABLE", () => {
  const broken = [
    new ConnectError("reset", Code.Canceled),
    new ConnectError("reset", Code.Aborted),
    new ConnectError("reset", Code.Internal, undefined, undefined, new Error("EPIPE")),
    new TypeError("Failed to fetch"),
  ];
  assert.deepEqual(
    broken.map((thrown) => readError(thrown, true).code),
    broken.map(() => Code.Unavailable),
  );
  assert.equal(readError(status(Code.Aborted), true).code, Code.Aborted);
});

test("the outcome is unknown where the deadline passed, except of calls without side effects", () => {
  assert.equal(readError(status(Code.DeadlineExceeded), true).outcomeUnknown, true);
  assert.equal(readError(status(Code.DeadlineExceeded), false).outcomeUnknown, false);
  assert.equal(readError(status(Code.DeadlineExceeded, "UPSTREAM_TIMEOUT"), true).outcomeUnknown, false);
  assert.equal(readError(status(Code.Unknown, "UPSTREAM_OUTCOME_UNKNOWN"), true).outcomeUnknown, true);
});

test("codes have the names that gRPC gives them", () => {
  assert.deepEqual([Code.Canceled, Code.DeadlineExceeded, 99 as Code].map(codeName), [
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "CODE_99",
  ]);
});

test("a stream that ended for good has the ending's reason", () => {
  const taken = new StreamEndedError(create(EndingSchema, { reason: EndingReason.TAKEN_OVER }));
  assert.deepEqual([taken.code, taken.reason], [Code.Aborted, "ENDING_REASON_TAKEN_OVER"]);
  const denied = new StreamEndedError(create(EndingSchema, { reason: EndingReason.UNAUTHORIZED }));
  assert.equal(denied.code, Code.PermissionDenied);
  const newer = new StreamEndedError(create(EndingSchema, { reason: 99 as EndingReason }));
  assert.equal(newer.reason, "ENDING_REASON_99");
  assert.ok(newer instanceof ChatbridgeError && inspect(newer).startsWith("StreamEndedError: ABORTED"));
});
