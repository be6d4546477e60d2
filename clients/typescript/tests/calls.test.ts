import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ChatbridgeError, Code } from "#library/errors.js";
import {
  ConversationService,
  type SendMessageRequest,
  SendMessageRequestSchema,
  SendMessageResponseSchema,
  UpdateConversationRequestSchema,
} from "#library/v1.js";
import { callerOf, FakeLink, silence, status } from "./fake-link.js";

const { sendMessage, getConversation, updateConversation } = ConversationService.method;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const sent = create(SendMessageResponseSchema);

function refuse(error: unknown): () => never {
  return () => {
    throw error;
  };
}

test("fills in a copy once, and repeats it as it was", async () => {
  const link = new FakeLink([refuse(status(Code.Unavailable)), () => sent]);
  const own = create(SendMessageRequestSchema, { conversationId: "c1" });
  await callerOf(link, { tenant: "t" }).unary(sendMessage, own);
  const [first, second] = link.calls.map(({ request }) => request as SendMessageRequest);
  assert.match(first?.requestId ?? "", UUID);
  assert.equal(first?.tenant, "t");
  assert.equal(second?.requestId, first.requestId);
  assert.deepEqual([own.requestId, own.tenant], ["", ""]);
});

test("keeps what the caller chose", async () => {
  const link = new FakeLink([() => sent]);
  await callerOf(link, { tenant: "t" }).unary(sendMessage, { tenant: "u", requestId: "mine" });
  const request = link.calls[0]?.request as SendMessageRequest;
  assert.deepEqual([request.tenant, request.requestId], ["u", "mine"]);
});

test("makes as many attempts as it may, and asks for the token before each", async () => {
  const link = new FakeLink(Array.from({ length: 4 }, () => refuse(status(Code.Unavailable, "DRAINING"))));
  let asked = 0;
  const caller = callerOf(link, { token: () => `secret-${String(++asked)}` });
  await assert.rejects(caller.unary(updateConversation, create(UpdateConversationRequestSchema)), {
    reason: "DRAINING",
  });
  assert.deepEqual(
    link.calls.map(({ authorization }) => authorization),
    [1, 2, 3, 4].map((n) => `Bearer secret-${String(n)}`),
  );
});

test("does not repeat what may have arrived and is not idempotent", async () => {
  const link = new FakeLink([refuse(status(Code.Unavailable))]);
  await assert.rejects(callerOf(link).unary(updateConversation, {}), { code: Code.Unavailable });
});

test("raises at once where the server's wait would pass the deadline", async () => {
  const link = new FakeLink([refuse(status(Code.ResourceExhausted, "UPSTREAM_THROTTLED", 60_000))]);
  await assert.rejects(callerOf(link).unary(sendMessage, {}), { retryAfterMs: 60_000 });
});

test("its own deadline leaves the outcome open, unless nothing could change", async () => {
  const link = new FakeLink([(_, signal) => silence(signal), (_, signal) => silence(signal)]);
  const caller = callerOf(link);
  await assert.rejects(caller.unary(sendMessage, {}, { timeoutMs: 1 }), {
    code: Code.DeadlineExceeded,
    outcomeUnknown: true,
  });
  await assert.rejects(caller.unary(getConversation, {}, { timeoutMs: 1 }), { outcomeUnknown: false });
});

test("rejects with the reason of the caller's signal", async () => {
  const controller = new AbortController();
  const reason = new Error("not needed any more");
  const link = new FakeLink([
    (_, signal) => {
      controller.abort(reason);
      return silence(signal);
    },
  ]);
  await assert.rejects(callerOf(link).unary(sendMessage, {}, { signal: controller.signal }), reason);
});

test("what the token function throws is thrown, and nothing is sent", async () => {
  const link = new FakeLink([]);
  const reason = new Error("no token today");
  const token = (): Promise<string> => Promise.reject(reason);
  await assert.rejects(callerOf(link, { token }).unary(sendMessage, {}), reason);
  assert.equal(link.calls.length, 0);
});

test("closing fails what is under way and what comes after", async () => {
  const link = new FakeLink([(_, signal) => silence(signal)]);
  const caller = callerOf(link);
  const call = caller.unary(sendMessage, {});
  caller.close();
  await assert.rejects(call, (error) => error instanceof ChatbridgeError && error.code === Code.Canceled);
  await assert.rejects(caller.unary(sendMessage, {}), /closed/);
});

test("shows no token", () => {
  const caller = callerOf(new FakeLink([]), { token: "secret" });
  assert.doesNotMatch(inspect(caller, { depth: 9, showHidden: true }), /secret/);
});
