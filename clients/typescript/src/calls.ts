import {
  clone,
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  isMessage,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { type Backoff, delayMs } from "./backoff.js";
import { LinkedAbort, pause, raced, timer } from "./durations.js";
import { ChatbridgeError, Code, readError } from "./errors.js";
import { mayRepeat } from "./retry.js";
import { uuid } from "./uuid.js";

/** The caller's token, or a function that gives the one that is good now. */
export type Token = string | (() => string | Promise<string>);

/** What a single call may have of its own. */
export interface CallOptions {
  /** The deadline, over all attempts, in ms. Absent: the client's. */
  readonly timeoutMs?: number;
  /** Gives the call up; what it rejects with is then the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How calls are made. */
export interface CallSettings {
  readonly tenant: string;
  readonly token: Token | undefined;
  readonly timeoutMs: number;
  readonly transferTimeoutMs: number;
  readonly attempts: number;
  readonly retryBackoff: Backoff;
}

/** The way to the service: gRPC in Node, gRPC-Web in a browser. */
export interface Link {
  readonly transport: Transport;
  /** Whether a call may have several requests. */
  readonly streamsRequests: boolean;
  /** Counts how often `renew` made new connections. */
  readonly generation: number;
  /**
   * Has calls from now on use new connections, because one of the generation `seen` is dead. Where that was renewed already, it does
   * nothing.
   */
  renew(seen: number): void;
  /** Closes all connections. */
  close(): void;
}

/** Makes calls: fills in requests, asks for the token, keeps the deadline, repeats what is safe to repeat. */
export class Caller {
  readonly link: Link;
  readonly #settings: CallSettings;
  readonly #closing = new AbortController();

  constructor(link: Link, settings: CallSettings) {
    this.link = link;
    this.#settings = settings;
  }

  /** Aborted when the client is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Whether the token may be another one the next time. */
  get tokenMayChange(): boolean {
    return typeof this.#settings.token === "function";
  }

  close(): void {
    this.#closing.abort(new ChatbridgeError(Code.Canceled, "the client was closed"));
    this.link.close();
  }

  /** A request of its own, in which empty `tenant` and `request_id` are filled in. */
  fill<S extends DescMessage>(schema: S, init: MessageInitShape<S>): MessageShape<S> {
    const request = isMessage(init, schema) ? clone(schema, init) : create(schema, init);
    const fields = request as Record<string, unknown>;
    if (schema.field["tenant"] && fields["tenant"] === "") {
      fields["tenant"] = this.#settings.tenant;
    }
    if (schema.field["requestId"] && fields["requestId"] === "") {
      fields["requestId"] = uuid();
    }
    return request;
  }

  /** The headers of a call or a stream, with the token that is good now. */
  async headers(signal: AbortSignal): Promise<Headers> {
    const headers = new Headers();
    const { token } = this.#settings;
    const text = typeof token === "function" ? await raced(token, signal) : token;
    if (text) {
      headers.set("authorization", `Bearer ${text}`);
    }
    return headers;
  }

  /** A call with one request and one response. */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    init: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const request = this.fill(method.input, init);
    const call = this.begin(method, options, this.#settings.timeoutMs);
    try {
      for (let attempt = 1; ; attempt++) {
        const headers = await this.headers(call.signal);
        try {
          const { transport } = this.link;
          // A filled in message is one of the forms that may be given, which the compiler cannot see for any schema.
          const input = request as MessageInitShape<I>;
          return (await transport.unary(method, call.signal, call.remainingMs(), headers, input)).message;
        } catch (thrown) {
          call.signal.throwIfAborted();
          const error = readError(thrown, hasSideEffects(method));
          const waitMs = (error.retryAfterMs ?? 0) + delayMs(this.#settings.retryBackoff, attempt - 1);
          const again = attempt < this.#settings.attempts && mayRepeat(error, attempt, isIdempotent(method));
          if (!again || waitMs >= call.remainingMs()) {
            throw error;
          }
          await pause(waitMs, call.signal);
        }
      }
    } finally {
      call.end();
    }
  }

  /** A call with several requests and one response, such as an upload. What `requests` throws is thrown. */
  async collect<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const call = this.begin(method, options, this.#settings.transferTimeoutMs);
    const source = new Source(requests);
    try {
      const headers = await this.headers(call.signal);
      try {
        const { transport } = this.link;
        const answer = await transport.stream(method, call.signal, call.remainingMs(), headers, source);
        let response: MessageShape<O> | undefined;
        for await (const message of answer.message) {
          response ??= message;
        }
        if (!response) {
          throw new ChatbridgeError(Code.Internal, "the server answered nothing");
        }
        return response;
      } catch (thrown) {
        if (source.failure) {
          throw source.failure.thrown;
        }
        call.signal.throwIfAborted();
        throw readError(thrown, hasSideEffects(method));
      }
    } finally {
      source.release();
      call.abandon();
    }
  }

  /** A call with one request and several responses. It is over when the iteration is. */
  async *responses<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    init: MessageInitShape<I>,
    options: CallOptions = {},
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const request = this.fill(method.input, init) as MessageInitShape<I>;
    const call = this.begin(method, options, this.#settings.transferTimeoutMs);
    try {
      const headers = await this.headers(call.signal);
      const { transport } = this.link;
      const answer = await transport.stream(method, call.signal, call.remainingMs(), headers, only(request));
      yield* answer.message;
    } catch (thrown) {
      call.signal.throwIfAborted();
      throw readError(thrown, hasSideEffects(method));
    } finally {
      call.abandon();
    }
  }

  /** The deadline of a call, and what else ends it. */
  private begin(method: DescMethod, options: CallOptions, timeoutMs: number): RunningCall {
    if (this.closing.aborted) {
      throw new Error("the client is closed");
    }
    options.signal?.throwIfAborted();
    return new RunningCall(method, options.timeoutMs ?? timeoutMs, options.signal, this.closing);
  }
}

/** An iterable of one. */
export async function* only<T>(item: T): AsyncGenerator<T, void, undefined> {
  yield await Promise.resolve(item);
}

class RunningCall {
  readonly #abort: LinkedAbort;
  readonly #deadlineMs: number;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(method: DescMethod, timeoutMs: number, ...signals: (AbortSignal | undefined)[]) {
    this.#abort = new LinkedAbort(...signals);
    this.#deadlineMs = performance.now() + timeoutMs;
    this.#timer = timer(() => {
      const sideEffects = hasSideEffects(method);
      const sentence = `no answer within ${String(timeoutMs / 1000)} s`;
      this.#abort.abort(new ChatbridgeError(Code.DeadlineExceeded, sentence, { sideEffects }));
    }, timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  remainingMs(): number {
    // A transport takes 0 for no deadline; the timer is about to fire then.
    return Math.max(1, Math.ceil(this.#deadlineMs - performance.now()));
  }

  /** The call is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#abort.release();
  }

  /** The call is over, or nobody wants the rest of it. */
  abandon(): void {
    this.end();
    this.#abort.abort();
  }
}

/** Requests of a call, of which is kept why they ended. */
class Source<T> implements AsyncIterable<T> {
  failure: { readonly thrown: unknown } | undefined;
  readonly #iterator: AsyncGenerator<T, void, undefined>;

  constructor(requests: AsyncIterable<T>) {
    this.#iterator = this.#guarded(requests);
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#iterator;
  }

  /** Closes files and the like where the call ended before the requests did. */
  release(): void {
    // It waits for what the source is doing at the moment, which nobody else needs to.
    this.#iterator.return().catch(() => undefined);
  }

  async *#guarded(requests: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* requests;
    } catch (thrown) {
      this.failure = { thrown };
      throw thrown;
    }
  }
}

function isIdempotent(method: DescMethod): boolean {
  return method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN;
}

function hasSideEffects(method: DescMethod): boolean {
  return method.idempotency !== Idempotency.NO_SIDE_EFFECTS;
}
