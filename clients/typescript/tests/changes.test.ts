import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code } from "#library/errors.js";
import { readError } from "#library/errors.js";
import { Changes } from "#library/events/changes.js";
import { type ChangeAgentEventsRequest, ChangeAgentEventsRequestSchema } from "#library/v1.js";
import { status } from "./fake-link.js";

function change(...addConversationIds: string[]): ChangeAgentEventsRequest {
  return create(ChangeAgentEventsRequestSchema, { addConversationIds });
}

/** A server that numbers changes per stream, and fails those that it is told to. */
class Server {
  readonly made: string[] = [];
  readonly holds: string[] = [];
  readonly failures: unknown[] = [];
  readonly errors: Error[] = [];
  readonly changes = new Changes(
    async ({ addConversationIds }, streamId) => {
      await this.during(streamId);
      const error = this.errors.shift();
      if (error) {
        throw error;
      }
      return BigInt(this.made.push(`${streamId}+${addConversationIds.join()}`));
    },
    ({ addConversationIds }) => void this.holds.push(...addConversationIds),
    (error) => void this.failures.push(error),
  );
  /** What happens while a change is under way. */
  during: (streamId: string) => void | Promise<void> = () => undefined;
}

test("waits for the stream's name, and makes changes in their order", async () => {
  const server = new Server();
  const both = [server.changes.want(change("a")), server.changes.want(change("b"))];
  server.changes.named("s1");
  await Promise.all(both);
  assert.deepEqual([server.made, server.holds], [["s1+a", "s1+b"], []]);
  server.changes.told(1n);
  assert.deepEqual(server.holds, ["a"]);
});

test("what was told of holds; what was only accepted is made anew", async () => {
  const server = new Server();
  server.changes.named("s1");
  await server.changes.want(change("a"));
  await server.changes.want(change("b"));
  server.changes.told(1n);
  server.changes.broke();
  server.changes.named("s2");
  await server.changes.want(change("c"));
  assert.deepEqual([server.made, server.holds], [["s1+a", "s1+b", "s2+b", "s2+c"], ["a"]]);
});

test("the stream may tell before the call is answered", async () => {
  const server = new Server();
  server.changes.named("s1");
  server.during = () => {
    server.changes.told(1n);
  };
  await server.changes.want(change("a"));
  assert.deepEqual(server.holds, ["a"]);
});

test("a change for a stream that broke meanwhile is made for the next one", async () => {
  const server = new Server();
  server.errors.push(readError(status(Code.NotFound, "STREAM_UNKNOWN"), true));
  server.changes.named("s1");
  server.during = (streamId) => {
    if (streamId === "s1") {
      server.changes.named("s2");
    }
  };
  await server.changes.want(change("a"));
  assert.deepEqual(server.made, ["s2+a"]);
});

test("an error goes to whoever waits, and those behind go on", async () => {
  const server = new Server();
  server.errors.push(readError(status(Code.InvalidArgument, "INVALID_FIELD"), true));
  server.changes.named("s1");
  const first = server.changes.want(change("a"));
  const second = server.changes.want(change("b"));
  await assert.rejects(first, { reason: "INVALID_FIELD" });
  await second;
  assert.deepEqual(server.made, ["s1+b"]);
});

test("an error of a change that is made anew ends the stream, unless it is a break", async () => {
  const server = new Server();
  server.changes.named("s1");
  await server.changes.want(change("a"));
  server.errors.push(readError(status(Code.Unavailable), true));
  server.changes.named("s2");
  await new Promise(setImmediate);
  assert.deepEqual(server.failures, []);
  const fatal = readError(status(Code.ResourceExhausted, "STREAM_LIMIT"), true);
  server.errors.push(fatal);
  server.changes.work();
  await new Promise(setImmediate);
  assert.deepEqual(server.failures, [fatal]);
});

test("whoever waits learns that the stream has ended", async () => {
  const server = new Server();
  const wanted = server.changes.want(change("a"));
  server.changes.end(new Error("the stream has ended"));
  await assert.rejects(wanted, /ended/);
  await assert.rejects(server.changes.want(change("b")), /ended/);
});
