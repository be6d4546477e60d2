import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type FileOnDisk, PIECE_BYTES_MAX, type ReadableFile } from "../files.js";

/** A file on disk, which is opened when its bytes are asked for. */
export async function openOnDisk({ path }: FileOnDisk): Promise<ReadableFile> {
  const name = typeof path === "string" ? path : fileURLToPath(path);
  const { size } = await stat(name);
  return { sizeBytes: BigInt(size), fileName: basename(name), chunks: read(name) };
}

async function* read(name: string): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of createReadStream(name, { highWaterMark: PIECE_BYTES_MAX })) {
    yield chunk as Uint8Array;
  }
}
