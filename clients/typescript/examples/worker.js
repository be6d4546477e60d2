// A worker that handles every event once it is there, and goes on where it was when it is started again: `worker.js FILE`.
import { readFile, rename, writeFile } from "node:fs/promises";
import { Chatbridge } from "@chatbridge/client";
import { EventKind, GapPolicy, StartPosition } from "@chatbridge/client/v1";

const file = process.argv[2];
if (!file) {
  throw new Error("usage: worker.js FILE");
}

const client = new Chatbridge(process.env["CHATBRIDGE_TARGET"] ?? "127.0.0.1:50051", {
  cleartext: true, // As `make dev` is. Over a network leave this out.
  token: process.env["CHATBRIDGE_TOKEN"] ?? "",
});

/** @type {import("@chatbridge/client").CursorStore} */
const cursors = {
  async load() {
    try {
      return await readFile(file);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") {
        return undefined;
      }
      throw error;
    }
  },
  async save(cursor) {
    // Replaced as a whole: a crash leaves the old cursor or the new one, and never half of one.
    await writeFile(`${file}.new`, cursor);
    await rename(`${file}.new`, file);
  },
};

// The loop ends after the event that it is at, and saves its cursor.
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort()).once("SIGINT", () => stop.abort());

for await (const { payload } of client.agentEvents(
  { start: { case: "position", value: StartPosition.EARLIEST }, gapPolicy: GapPolicy.EARLIEST },
  { cursors, signal: stop.signal, onBreak: ({ problem }) => console.error(problem) },
)) {
  if (payload.case === "event") {
    const { conversationId, sequence, kind } = payload.value;
    await print(`${conversationId || "-"} ${String(sequence)} EVENT_KIND_${EventKind[kind]}\n`);
  }
}
client.close();

/** @param {string} line */
function print(line) {
  return new Promise((resolve) => process.stdout.write(line, resolve));
}
