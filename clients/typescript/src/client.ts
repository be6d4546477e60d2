import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Backoff } from "./backoff.js";
import { Caller, type CallOptions, type Link, type Token } from "./calls.js";
import { AgentEvents } from "./events/agent-events.js";
import { type EventOptions, eventSettings } from "./events/options.js";
import type { FileContent, OpenOnDisk } from "./files.js";
import { type AgentEventsRequest, AgentEventsRequestSchema } from "./gen/chatbridge/v1/agent_event_service_pb.js";
import type {
  DownloadAttachmentRequestSchema,
  UploadAttachmentResponse,
  UploadAttachmentStartSchema,
} from "./gen/chatbridge/v1/attachment_service_pb.js";
import type { HandOverConversationResponse, HandOverSchema } from "./gen/chatbridge/v1/conversation_service_pb.js";
import { WithContractCalls } from "./methods.js";
import { type AttachmentDownload, download, type FileToHandOver, handOver, upload } from "./transfers.js";

/** What a client may be told, in Node and in a browser. */
export interface ClientOptions {
  /** The tenant of requests that name none. Absent: the caller's only one. */
  readonly tenant?: string;
  /**
   * The caller's token, or a function that gives the one that is good now. The function is asked before each attempt of a call and each
   * time that a stream connects, so it should remember; what it throws is thrown by the call.
   */
  readonly token?: Token;
  /** Deadline of a call over all its attempts, in ms. Absent: 15,000. */
  readonly timeoutMs?: number;
  /** Deadline of a call that carries a file, in ms. Absent: 600,000. */
  readonly transferTimeoutMs?: number;
  /** Attempts of a call at most, where it is safe to repeat it. Absent: 4. */
  readonly attempts?: number;
  /** Waits between attempts of a call. Absent: from 100 ms to 2 s. */
  readonly retryBackoff?: Backoff;
  /** What the client's streams of events have where they are not told otherwise. */
  readonly events?: EventOptions;
}

/** What a stream of a subscription may be told, besides its name. */
export type SubscriptionRequest = Pick<
  Exclude<MessageInitShape<typeof AgentEventsRequestSchema>, AgentEventsRequest>,
  "tenant" | "includeRaw" | "gapPolicy" | "memberName" | "maxUncommitted"
>;

/**
 * A client of Chatbridge: every call of the contract, files and streams of events. Make one and share it: calls and streams may run
 * at the same time, and use the same connections. Close it once.
 */
export abstract class ChatbridgeClient extends WithContractCalls {
  readonly #caller: Caller;
  readonly #openOnDisk: OpenOnDisk | undefined;
  readonly #events: EventOptions;

  protected constructor(link: Link, options: ClientOptions, openOnDisk?: OpenOnDisk) {
    const caller = new Caller(link, {
      tenant: options.tenant ?? "",
      token: options.token,
      timeoutMs: options.timeoutMs ?? 15_000,
      transferTimeoutMs: options.transferTimeoutMs ?? 600_000,
      attempts: options.attempts ?? 4,
      retryBackoff: options.retryBackoff ?? { firstMs: 100, maxMs: 2_000 },
    });
    super(caller);
    this.#caller = caller;
    this.#openOnDisk = openOnDisk;
    this.#events = options.events ?? {};
  }

  /** Streams every matching event, and goes on over breaks: `for await (const response of client.agentEvents({...}))`. */
  agentEvents(
    request: MessageInitShape<typeof AgentEventsRequestSchema> = {},
    options: EventOptions = {},
  ): AgentEvents {
    const own = this.#caller.fill(AgentEventsRequestSchema, request);
    return new AgentEvents(this.#caller, own, eventSettings(options, this.#events));
  }

  /**
   * Streams what a named subscription has for this client. The service knows its place: say how far events were processed with
   * `commitCursor({ subscription, cursor })`.
   */
  subscriptionEvents(subscription: string, request: SubscriptionRequest = {}, options: EventOptions = {}): AgentEvents {
    return this.agentEvents({ ...request, subscription }, options);
  }

  /** Uploads a file into a conversation, to be shown by a message that refers to it. */
  uploadAttachment(
    start: MessageInitShape<typeof UploadAttachmentStartSchema>,
    content: FileContent,
    options?: CallOptions,
  ): Promise<UploadAttachmentResponse> {
    return upload(this.#caller, this.#openOnDisk, start, content, options);
  }

  /** Begins to download a file. Its deadline counts until it has been read. */
  downloadAttachment(
    request: MessageInitShape<typeof DownloadAttachmentRequestSchema>,
    options?: CallOptions,
  ): Promise<AttachmentDownload> {
    return download(this.#caller, request, options);
  }

  /** Hands a customer over in one call: conversation, transcript of any length, context and files. */
  handOverConversation(
    start: MessageInitShape<typeof HandOverSchema>,
    files: readonly FileToHandOver[] = [],
    options?: CallOptions,
  ): Promise<HandOverConversationResponse> {
    return handOver(this.#caller, this.#openOnDisk, start, files, options);
  }

  /** Ends the client's streams without an error, fails what is under way, and closes the connections. */
  close(): void {
    this.#caller.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
