/** A file on disk; in Node only. */
export interface FileOnDisk {
  readonly path: string | URL;
}

/**
 * Where the bytes of a file come from. It is read piece by piece, once. Of an iterable or a stream the size has to be told beside
 * it, and of all but a `File` and a file on disk, the name.
 */
export type FileContent =
  Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array> | FileOnDisk;

/** A file whose bytes can be read. */
export interface ReadableFile {
  /** Undefined: not known. */
  readonly sizeBytes: bigint | undefined;
  /** Empty: not known. */
  readonly fileName: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Opens a file on disk. */
export type OpenOnDisk = (file: FileOnDisk) => Promise<ReadableFile>;

/** No piece that is sent is longer. */
export const PIECE_BYTES_MAX = 256 * 1024;

/** What there is to know of a file before it is read. */
export async function readable(content: FileContent, openOnDisk: OpenOnDisk | undefined): Promise<ReadableFile> {
  if (content instanceof Uint8Array) {
    return { sizeBytes: BigInt(content.length), fileName: "", chunks: each([content]) };
  }
  if (content instanceof Blob) {
    const fileName = "name" in content && typeof content.name === "string" ? content.name : "";
    return { sizeBytes: BigInt(content.size), fileName, chunks: streamed(content.stream()) };
  }
  if (content instanceof ReadableStream) {
    return { sizeBytes: undefined, fileName: "", chunks: streamed(content) };
  }
  if ("path" in content) {
    if (!openOnDisk) {
      throw new TypeError("a page has no files on disk: give the File that the user chose");
    }
    return openOnDisk(content);
  }
  return { sizeBytes: undefined, fileName: "", chunks: each(content) };
}

/** The same bytes in pieces that may be sent. */
export async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += PIECE_BYTES_MAX) {
      yield chunk.subarray(start, start + PIECE_BYTES_MAX);
    }
  }
}

async function* each(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}

/** Not every browser can iterate a stream. */
async function* streamed(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      yield read.value;
    }
  } finally {
    // Where it was read to its end there is nothing to cancel.
    await reader.cancel();
  }
}
