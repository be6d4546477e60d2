import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { CallSettings } from "#library/calls.js";
import { Code, StreamEndedError } from "#library/errors.js";
import { AgentEvents } from "#library/events/agent-events.js";
import type { StreamBreak } from "#library/events/breaks.js";
import { type EventOptions, eventSettings } from "#library/events/options.js";
import {
  type AgentEventsRequest,
  AgentEventsRequestSchema,
  type AgentEventsResponse,
  EndingReason,
  ReconnectAdvice,
} from "#library/v1.js";
import { callerOf, type Connection, FakeLink, response, silence, status } from "./fake-link.js";

/** What the server sends on one connection, and how that ends: an error, silence, or its end. */
function sends(responses: AgentEventsResponse[], end?: Error | "silence"): Connection {
  return async function* (_request, signal) {
    yield* responses;
    if (end === "silence") {
      await silence(signal);
    } else if (end) {
      throw end;
    }
  };
}

interface Opened {
  readonly stream: AgentEvents;
  readonly link: FakeLink;
  readonly breaks: StreamBreak[];
}

function open(connections: Connection[], options: EventOptions = {}, calls: Partial<CallSettings> = {}): Opened {
  const link = new FakeLink([], connections);
  const breaks: StreamBreak[] = [];
  const settings = eventSettings(
    { backoff: { firstMs: 0, maxMs: 0 }, onBreak: (told) => void breaks.push(told), ...options },
    {},
  );
  const stream = new AgentEvents(callerOf(link, calls), create(AgentEventsRequestSchema), settings);
  return { stream, link, breaks };
}

async function take(stream: AgentEvents, count: number): Promise<(number | undefined)[]> {
  const cursors: (number | undefined)[] = [];
  while (cursors.length < count) {
    const next = await stream.next();
    assert.ok(!next.done, "the stream ended early");
    cursors.push(next.value.cursor[0]);
  }
  return cursors;
}

function startOf(link: FakeLink, connection: number): number | undefined {
  const { start } = link.calls[connection]?.request as AgentEventsRequest;
  return start.case === "cursor" ? start.value[0] : undefined;
}

function ending(reconnect: ReconnectAdvice, retryAfterMs = 0): AgentEventsResponse {
  const value = { reason: EndingReason.DRAINING, reconnect, retryAfter: durationFromMs(retryAfterMs) };
  return response(9, { case: "ending", value });
}

for (const [what, end] of [
  ["UNAVAILABLE", status(Code.Unavailable)],
  ["DRAINING", status(Code.Unavailable, "DRAINING")],
  ["STREAM_LIMIT with a wait", status(Code.ResourceExhausted, "STREAM_LIMIT", 1)],
  ["INTERNAL without a reason", status(Code.Internal)],
  ["UNKNOWN without a reason", status(Code.Unknown)],
  ["CANCELLED without a reason", status(Code.Canceled)],
  ["DEADLINE_EXCEEDED without a reason", status(Code.DeadlineExceeded)],
  ["an end without an ending", undefined],
] as const) {
  test(`goes on from the last response received after ${what}`, async () => {
    const { stream, link, breaks } = open([sends([response(1), response(2)], end), sends([response(3)], "silence")]);
    assert.deepEqual(await take(stream, 3), [1, 2, 3]);
    assert.equal(startOf(link, 1), 2);
    assert.equal(breaks.length, 1);
    await stream.close();
  });
}

for (const [what, end] of [
  ["INTERNAL with a reason", status(Code.Internal, "STORE_CORRUPT")],
  ["RESOURCE_EXHAUSTED without a wait", status(Code.ResourceExhausted, "SUBSCRIPTION_LIMIT")],
  ["PERMISSION_DENIED", status(Code.PermissionDenied, "ROLE_DENIED")],
  ["UNAUTHENTICATED, of a token that does not change", status(Code.Unauthenticated, "CREDENTIALS_EXPIRED")],
] as const) {
  test(`raises ${what}`, async () => {
    const { stream } = open([sends([], end)]);
    await assert.rejects(stream.next(), { code: end.code });
    assert.deepEqual(await stream.next(), { done: true, value: undefined });
  });
}

test("gives the gap, then raises CURSOR_GAP", async () => {
  const gap = response(1, { case: "gap", value: {} });
  const { stream } = open([sends([gap], status(Code.OutOfRange, "CURSOR_GAP"))]);
  assert.deepEqual(await take(stream, 1), [1]);
  await assert.rejects(stream.next(), { reason: "CURSOR_GAP" });
});

test("a break behind a gap to fail at is the gap's error, and its cursor is not saved", async () => {
  const saved: (number | undefined)[] = [];
  const cursors = { load: () => undefined, save: (cursor: Uint8Array) => void saved.push(cursor[0]) };
  const gap = response(2, { case: "gap", value: {} });
  const { stream } = open([sends([response(1), gap], status(Code.Unavailable))], { cursors });
  assert.deepEqual(await take(stream, 2), [1, 2]);
  await assert.rejects(stream.next(), { code: Code.OutOfRange, reason: "CURSOR_GAP" });
  assert.deepEqual(saved, [1]);
});

test("believes that a changing token is refused after three refusals in a row", async () => {
  const refused = sends([], status(Code.Unauthenticated, "CREDENTIALS_EXPIRED"));
  const once = open(
    [refused, refused, refused, sends([response(1)]), refused, refused, refused, refused],
    {},
    { token: () => "t" },
  );
  assert.deepEqual(await take(once.stream, 1), [1]);
  await assert.rejects(once.stream.next(), { code: Code.Unauthenticated });
  assert.equal(once.link.calls.length, 8);
});

test("obeys an ending that says to come back, and gives it to the application", async () => {
  const now = sends([ending(ReconnectAdvice.NOW)], "silence");
  const later = sends([ending(ReconnectAdvice.LATER, 1)], "silence");
  const { stream, breaks } = open([now, later, sends([response(3)], "silence")]);
  assert.deepEqual(await take(stream, 3), [9, 9, 3]);
  assert.deepEqual(
    breaks.map(({ waitMs }) => waitMs),
    [0, 1],
  );
  await stream.close();
});

test("raises an ending that says not to come back, after having given it", async () => {
  const { stream } = open([sends([ending(ReconnectAdvice.NEVER)])]);
  assert.deepEqual(await take(stream, 1), [9]);
  await assert.rejects(
    stream.next(),
    (error) => error instanceof StreamEndedError && error.ending.reason === EndingReason.DRAINING,
  );
});

test("without resumption a break is raised, and an ending ends the iteration", async () => {
  const broken = open([sends([response(1)])], { resume: false });
  assert.deepEqual(await take(broken.stream, 1), [1]);
  await assert.rejects(broken.stream.next(), { code: Code.Unavailable });
  const ended = open([sends([ending(ReconnectAdvice.NEVER)])], { resume: false });
  assert.deepEqual(await take(ended.stream, 1), [9]);
  assert.equal((await ended.stream.next()).done, true);
});

test("gives up a connection on which nothing comes, and takes a new one", async () => {
  const heartbeat = response(1, { case: "heartbeat", value: { interval: durationFromMs(2) } });
  const { stream, link, breaks } = open([sends([heartbeat], "silence"), sends([response(2)], "silence")]);
  assert.deepEqual(await take(stream, 2), [1, 2]);
  assert.equal(link.generation, 1);
  assert.match(breaks[0]?.problem ?? "", /nothing came for 0.004 s/);
  await stream.close();
});

test("gives up a connection on which nothing ever came", async () => {
  const { stream, link } = open([sends([], "silence"), sends([response(1)], "silence")], { openTimeoutMs: 1 });
  assert.deepEqual(await take(stream, 1), [1]);
  assert.equal(link.generation, 1);
  await stream.close();
});

test("holds no more than it may, and does not take the application's time for silence", async () => {
  let sent = 0;
  const source: Connection = async function* (_request, signal) {
    yield response(0, { case: "heartbeat", value: { interval: durationFromMs(1) } });
    for (sent = 1; sent <= 10; sent++) {
      yield response(sent);
    }
    await silence(signal);
  };
  const { stream, link } = open([source], { buffer: 3 });
  assert.deepEqual(await take(stream, 1), [0]);
  await new Promise((resolve) => setTimeout(resolve, 10)); // Longer than the silence that it bears.
  assert.equal(sent, 3);
  assert.equal(link.generation, 0);
  assert.deepEqual(await take(stream, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await stream.close();
});

test("starts where the store says, and saves what the application came back from", async () => {
  const saved: (number | undefined)[] = [];
  const cursors = { load: () => Uint8Array.of(7), save: (cursor: Uint8Array) => void saved.push(cursor[0]) };
  const { stream, link } = open([sends([response(8), response(9)], "silence")], { cursors });
  await take(stream, 1);
  assert.deepEqual([startOf(link, 0), saved], [7, []]);
  await take(stream, 1);
  assert.deepEqual([saved, stream.cursor[0]], [[8], 9]);
  await stream.close();
  assert.deepEqual(saved, [8, 9]);
});

test("a loop that is left does not save what it was given last", async () => {
  const saved: (number | undefined)[] = [];
  const cursors = { load: () => undefined, save: (cursor: Uint8Array) => void saved.push(cursor[0]) };
  const { stream } = open([sends([response(1), response(2)], "silence")], { cursors });
  for await (const { cursor } of stream) {
    if (cursor[0] === 2) {
      break;
    }
  }
  assert.deepEqual(saved, [1]);
});

test("a store that fails ends the stream", async () => {
  const reason = new Error("the disk is full");
  const load = open([], { cursors: { load: () => Promise.reject(reason), save: () => undefined } });
  await assert.rejects(load.stream.next(), reason);
  const save = open([sends([response(1)], "silence")], {
    cursors: { load: () => undefined, save: () => Promise.reject(reason) },
  });
  await take(save.stream, 1);
  await assert.rejects(save.stream.next(), reason);
});

test("an aborted signal ends the iteration without an error, and saves what was processed", async () => {
  const stop = new AbortController();
  const saved: (number | undefined)[] = [];
  const cursors = { load: () => undefined, save: (cursor: Uint8Array) => void saved.push(cursor[0]) };
  const { stream } = open([sends([response(1), response(2)], "silence")], { cursors, signal: stop.signal });
  const given = [];
  for await (const { cursor } of stream) {
    given.push(cursor[0]);
    stop.abort();
  }
  assert.deepEqual([given, saved], [[1], [1]]);
});

test("a subscription is opened as it was", async () => {
  const link = new FakeLink([], [sends([response(1)]), sends([response(2)], "silence")]);
  const request = create(AgentEventsRequestSchema, { subscription: "orders" });
  const stream = new AgentEvents(callerOf(link), request, eventSettings({ backoff: { firstMs: 0, maxMs: 0 } }, {}));
  assert.deepEqual(await take(stream, 2), [1, 2]);
  assert.equal(startOf(link, 1), undefined);
  await stream.close();
});
