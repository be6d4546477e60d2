import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Caller } from "../calls.js";
import { raced } from "../durations.js";
import {
  AgentEventService,
  type AgentEventsRequest,
  type AgentEventsResponse,
  type ChangeAgentEventsRequest,
  ChangeAgentEventsRequestSchema,
} from "../gen/chatbridge/v1/agent_event_service_pb.js";
import { Changes } from "./changes.js";
import { failsStream } from "./gaps.js";
import type { EventSettings } from "./options.js";
import { Receiver } from "./receiver.js";
import { ResponseBuffer } from "./response-buffer.js";

/** Which conversations a changeable stream gets and loses, and where those that it gets start. */
export type ChangeOfConversations = Pick<
  Exclude<MessageInitShape<typeof ChangeAgentEventsRequestSchema>, ChangeAgentEventsRequest>,
  "addConversationIds" | "removeConversationIds" | "start"
>;

/**
 * Every response of `AgentEvents`: events, heartbeats, gaps and endings, in order, over as many connections as it takes.
 *
 * Iterate it once: `for await (const response of stream)`. It connects at the first step, and throws what connecting again cannot
 * mend: `ChatbridgeError`, `StreamEndedError` where the server says not to come back, or what a token function or a cursor store
 * threw. It ends after `close`, when its signal is aborted and when its client is closed. Leaving the loop, by `break` or by an
 * error, ends it as well; a loop that is left so has not come back from the last response, so its cursor is not saved.
 */
export class AgentEvents implements AsyncIterable<AgentEventsResponse> {
  readonly #settings: EventSettings;
  readonly #request: AgentEventsRequest;
  readonly #caller: Caller;
  readonly #stop = new AbortController();
  readonly #buffer: ResponseBuffer<AgentEventsResponse>;
  readonly #changes: Changes;
  readonly #receiver: Receiver;
  readonly #iteration: AsyncGenerator<AgentEventsResponse, void, undefined>;
  readonly #release: () => void;
  #receiving: Promise<void> | undefined;
  #cursor: Uint8Array;
  /** The cursor of the response that was given last, until it is saved. */
  #unsaved: Uint8Array | undefined;

  /** `Chatbridge.agentEvents` is the way to get one. `request` becomes the stream's own. */
  constructor(caller: Caller, request: AgentEventsRequest, settings: EventSettings) {
    if (settings.cursors && request.subscription !== "") {
      throw new TypeError("a subscription knows its place: it takes no cursor store");
    }
    this.#caller = caller;
    this.#request = request;
    this.#settings = settings;
    this.#cursor = request.start.case === "cursor" ? request.start.value : new Uint8Array();
    this.#buffer = new ResponseBuffer(settings.buffer);
    this.#changes = new Changes(
      (change, streamId) => this.#change(change, streamId),
      (change) => {
        this.#hold(change);
      },
      (error) => {
        this.#buffer.end({ error });
        this.#stop.abort();
      },
    );
    this.#receiver = new Receiver(caller, request, settings, this.#buffer, this.#changes, this.#stop.signal);
    this.#iteration = this.#iterate();
    const ends = [caller.closing, ...(settings.signal ? [settings.signal] : [])];
    const end = (): void => {
      this.#end();
    };
    for (const signal of ends) {
      signal.addEventListener("abort", end, { once: true });
    }
    this.#release = () => {
      for (const signal of ends) {
        signal.removeEventListener("abort", end);
      }
    };
    if (ends.some((signal) => signal.aborted)) {
      this.#end();
    }
  }

  /** The place behind the response that was given last: store it with what came of that response. Empty: none was given. */
  get cursor(): Uint8Array {
    return this.#cursor;
  }

  /** The next response, for whoever does not use a loop. `done`: the stream has ended. */
  next(): Promise<IteratorResult<AgentEventsResponse, void>> {
    return this.#iteration.next();
  }

  [Symbol.asyncIterator](): AsyncIterator<AgentEventsResponse, void, undefined> {
    return this.#iteration;
  }

  /**
   * Takes conversations off a changeable stream, and adds others from `start` on; without one, with what comes from now on. Done
   * when the server has accepted it; the response `changed` tells from where on it holds. A stream that connects again has what was
   * changed. Changes are made one after the other.
   *
   * It waits until the stream is connected, and connects it where nobody iterates it yet.
   */
  async change(change: ChangeOfConversations): Promise<void> {
    if (!this.#request.changeable) {
      throw new TypeError("only a stream that was opened as changeable can be changed");
    }
    const request = create(ChangeAgentEventsRequestSchema, { ...change, tenant: this.#request.tenant });
    this.#start();
    await this.#changes.want(request);
  }

  /**
   * Ends the stream, and says that the response that was given last was processed: with a cursor store, its cursor is saved. To end
   * it while a response is being processed, abort its signal.
   */
  async close(): Promise<void> {
    this.#end();
    await this.#save();
    await this.#iteration.return();
    await this.#receiving;
  }

  /** Ends the stream as leaving the loop does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#iteration.return();
    await this.#receiving;
  }

  async *#iterate(): AsyncGenerator<AgentEventsResponse, void, undefined> {
    try {
      this.#start();
      for (;;) {
        const response = await this.#buffer.take();
        if (!response) {
          return;
        }
        if (response.cursor.length > 0) {
          this.#cursor = response.cursor;
          this.#unsaved = failsStream(response, this.#request) ? undefined : response.cursor;
        }
        yield response;
        await this.#save();
      }
    } finally {
      this.#end();
    }
  }

  #start(): void {
    this.#receiving ??= this.#receive();
  }

  async #receive(): Promise<void> {
    try {
      if (this.#settings.cursors && !this.#stop.signal.aborted) {
        const { cursors } = this.#settings;
        const cursor = await raced(() => cursors.load(), this.#stop.signal);
        if (cursor && cursor.length > 0) {
          this.#cursor = cursor;
          this.#request.start = { case: "cursor", value: cursor };
        }
      }
      await this.#receiver.run();
      this.#buffer.end();
    } catch (error) {
      this.#buffer.end(this.#stop.signal.aborted ? {} : { error });
    } finally {
      this.#changes.end(new Error("the stream has ended"));
      this.#release();
    }
  }

  async #save(): Promise<void> {
    const cursor = this.#unsaved;
    this.#unsaved = undefined;
    if (cursor && this.#settings.cursors) {
      await this.#settings.cursors.save(cursor);
    }
  }

  #end(): void {
    this.#release();
    this.#stop.abort();
    this.#buffer.discard();
    this.#changes.end(new Error("the stream has ended"));
  }

  async #change(change: ChangeAgentEventsRequest, streamId: string): Promise<bigint> {
    const request = { ...change, streamId };
    const options = { signal: this.#stop.signal };
    return (await this.#caller.unary(AgentEventService.method.changeAgentEvents, request, options)).revision;
  }

  /** Whoever connects again asks for the conversations that the stream has then. */
  #hold(change: ChangeAgentEventsRequest): void {
    const gone = new Set(change.removeConversationIds);
    const have = this.#request.conversationIds.filter((id) => !gone.has(id));
    this.#request.conversationIds = [...new Set([...have, ...change.addConversationIds])];
  }
}
