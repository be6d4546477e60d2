import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { PIECE_BYTES_MAX, pieces, readable } from "#library/files.js";
import { openOnDisk } from "#library/node/disk.js";
import { upload, UnsupportedError } from "#library/transfers.js";
import { type UploadAttachmentRequest, UploadAttachmentResponseSchema } from "#library/v1.js";
import { callerOf, FakeLink } from "./fake-link.js";

const uploaded = create(UploadAttachmentResponseSchema);

function accepting(): FakeLink {
  return new FakeLink([], [() => [uploaded] as never]);
}

test("cuts what is longer than a piece may be", async () => {
  const lengths = [];
  const { chunks } = await readable(new Uint8Array(2 * PIECE_BYTES_MAX + 5), undefined);
  for await (const piece of pieces(chunks)) {
    lengths.push(piece.length);
  }
  assert.deepEqual(lengths, [PIECE_BYTES_MAX, PIECE_BYTES_MAX, 5]);
});

test("reads every form of a file", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const path = fileURLToPath(import.meta.url);
  const sizes = [];
  for (const content of [bytes, new Blob([bytes]), new Blob([bytes]).stream(), [bytes], { path }]) {
    const file = await readable(content, openOnDisk);
    let size = 0;
    for await (const piece of pieces(file.chunks)) {
      size += piece.length;
    }
    assert.ok(file.sizeBytes === undefined || file.sizeBytes === BigInt(size));
    sizes.push(size);
  }
  assert.deepEqual(sizes.slice(0, 4), [3, 3, 3, 3]);
});

test("sends the start with what the content tells, then the bytes", async () => {
  const link = accepting();
  await upload(callerOf(link), openOnDisk, { conversationId: "c" }, new File(["hello"], "greeting.txt"));
  const [start, chunk] = link.calls.map(({ request }) => (request as UploadAttachmentRequest).part);
  assert.ok(start?.case === "start" && start.value.fileName === "greeting.txt" && start.value.sizeBytes === 5n);
  assert.ok(chunk?.case === "chunk" && chunk.value.length === 5);
});

test("raises what the source raises, and closes the source", async () => {
  const reason = new Error("the source is gone");
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield await Promise.resolve(Uint8Array.of(1));
      throw reason;
    } finally {
      closed = true;
    }
  }
  await assert.rejects(upload(callerOf(accepting()), undefined, { sizeBytes: 5n }, source()), reason);
  assert.ok(closed);
});

test("needs to know the size, and a way that can stream", async () => {
  await assert.rejects(upload(callerOf(accepting()), undefined, {}, [Uint8Array.of(1)]), TypeError);
  const browser = Object.assign(accepting(), { streamsRequests: false });
  await assert.rejects(upload(callerOf(browser), undefined, {}, Uint8Array.of(1)), UnsupportedError);
});
