import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Caller, CallOptions } from "./calls.js";
import { ChatbridgeError, Code } from "./errors.js";
import { type FileContent, type OpenOnDisk, pieces, readable, type ReadableFile } from "./files.js";
import type { Attachment } from "./gen/chatbridge/v1/conversation_pb.js";
import {
  AttachmentService,
  DownloadAttachmentRequestSchema,
  type DownloadAttachmentResponse,
  type UploadAttachmentRequestSchema,
  type UploadAttachmentResponse,
  UploadAttachmentStartSchema,
} from "./gen/chatbridge/v1/attachment_service_pb.js";
import {
  ConversationService,
  type HandOverConversationRequestSchema,
  type HandOverConversationResponse,
  HandOverFileSchema,
  HandOverSchema,
} from "./gen/chatbridge/v1/conversation_service_pb.js";

/** A file of a hand-over: what the contract's `HandOverFile` says of it, and its bytes. */
export interface FileToHandOver {
  /** Name, type, author and text. `fileName` and `sizeBytes` may be left out where `content` tells them. */
  readonly file: MessageInitShape<typeof HandOverFileSchema>;
  readonly content: FileContent;
}

/** Uploads a file. */
export async function upload(
  caller: Caller,
  openOnDisk: OpenOnDisk | undefined,
  start: MessageInitShape<typeof UploadAttachmentStartSchema>,
  content: FileContent,
  options?: CallOptions,
): Promise<UploadAttachmentResponse> {
  mustStream(caller, "uploadAttachment");
  const file = await readable(content, openOnDisk);
  const head = named(caller.fill(UploadAttachmentStartSchema, start), file);
  return caller.collect(AttachmentService.method.uploadAttachment, parts(), options);

  async function* parts(): AsyncGenerator<MessageInitShape<typeof UploadAttachmentRequestSchema>> {
    yield { part: { case: "start", value: head } };
    for await (const value of pieces(file.chunks)) {
      yield { part: { case: "chunk", value } };
    }
  }
}

/** Hands a customer over, with files. */
export async function handOver(
  caller: Caller,
  openOnDisk: OpenOnDisk | undefined,
  start: MessageInitShape<typeof HandOverSchema>,
  files: readonly FileToHandOver[],
  options?: CallOptions,
): Promise<HandOverConversationResponse> {
  mustStream(caller, "handOverConversation");
  const head = caller.fill(HandOverSchema, start);
  // What is wrong with a file is found before the conversation exists.
  const opened = await Promise.all(
    files.map(async ({ file, content }) => {
      const from = await readable(content, openOnDisk);
      return { head: named(create(HandOverFileSchema, file), from), chunks: from.chunks };
    }),
  );
  return caller.collect(ConversationService.method.handOverConversation, parts(), options);

  async function* parts(): AsyncGenerator<MessageInitShape<typeof HandOverConversationRequestSchema>> {
    yield { part: { case: "start", value: head } };
    for (const file of opened) {
      yield { part: { case: "file", value: file.head } };
      for await (const value of pieces(file.chunks)) {
        yield { part: { case: "chunk", value } };
      }
    }
  }
}

/** Begins a download; done when the server has said what follows. */
export async function download(
  caller: Caller,
  request: MessageInitShape<typeof DownloadAttachmentRequestSchema>,
  options?: CallOptions,
): Promise<AttachmentDownload> {
  const responses = caller.responses(AttachmentService.method.downloadAttachment, request, options);
  const first = await responses.next();
  if (first.done || first.value.part.case !== "start") {
    await responses.return();
    throw new ChatbridgeError(Code.Internal, "the server did not say what follows");
  }
  return new AttachmentDownload(first.value.part.value, responses);
}

/**
 * A file that is being downloaded. Read it once, by iterating over its chunks or by one of the methods; what is thrown meanwhile
 * means that only the beginning came.
 */
export class AttachmentDownload implements AsyncIterable<Uint8Array> {
  /** What is downloaded, with name, type and size as far as the vendor says; 0 bytes: not known. */
  readonly attachment: Attachment;
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>;
  readonly #responses: AsyncGenerator<DownloadAttachmentResponse, void, undefined>;

  constructor(attachment: Attachment, responses: AsyncGenerator<DownloadAttachmentResponse, void, undefined>) {
    this.attachment = attachment;
    this.#responses = responses;
    this.#chunks = chunksOf(responses);
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#chunks;
  }

  /** As a stream; to cancel it ends the download. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const next = await this.#chunks.next();
          if (next.done) {
            controller.close();
          } else {
            controller.enqueue(next.value);
          }
        },
        cancel: () => this.close(),
      },
      { highWaterMark: 0 },
    );
  }

  /** All of it, in memory. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.#chunks) {
      chunks.push(chunk);
      size += chunk.length;
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  /** Ends the download before its end. */
  async close(): Promise<void> {
    await this.#chunks.return();
    await this.#responses.return();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function* chunksOf(
  responses: AsyncIterable<DownloadAttachmentResponse>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { part } of responses) {
    if (part.case === "chunk") {
      yield part.value;
    }
  }
}

/** Fills in what the content itself tells. */
function named<Head extends { fileName: string; sizeBytes: bigint }>(head: Head, file: ReadableFile): Head {
  const fileName = head.fileName || file.fileName;
  const sizeBytes = head.sizeBytes || file.sizeBytes;
  if (sizeBytes === undefined) {
    throw new TypeError("sizeBytes is needed: this content does not tell its size");
  }
  return { ...head, fileName, sizeBytes };
}

function mustStream(caller: Caller, method: string): void {
  if (!caller.link.streamsRequests) {
    throw new UnsupportedError(`${method} is not possible in a browser: gRPC-Web cannot stream from the client`);
  }
}

/** The way to the service cannot do this: a browser cannot stream from the client. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}
