import { durationMs } from "@bufbuild/protobuf/wkt";
import { delayMs } from "../backoff.js";
import { type Caller, only } from "../calls.js";
import { LinkedAbort, pause } from "../durations.js";
import { ChatbridgeError, Code, readError, StreamEndedError } from "../errors.js";
import {
  AgentEventService,
  type AgentEventsRequest,
  type AgentEventsResponse,
  type Ending,
} from "../gen/chatbridge/v1/agent_event_service_pb.js";
import { afterEnding, afterError, afterSilence, afterSilentEnd, type Reconnection } from "./breaks.js";
import { failsStream } from "./gaps.js";
import type { Changes } from "./changes.js";
import type { EventSettings } from "./options.js";
import type { ResponseBuffer } from "./response-buffer.js";
import { Watchdog } from "./watchdog.js";

/** The side of a stream that connects, receives and connects again. */
export class Receiver {
  readonly #caller: Caller;
  /** As it is sent the next time: its cursor and its conversations go on with the stream. */
  readonly #request: AgentEventsRequest;
  readonly #settings: EventSettings;
  readonly #buffer: ResponseBuffer<AgentEventsResponse>;
  readonly #changes: Changes;
  readonly #stop: AbortSignal;
  /** How often it broke since a connection held. */
  #breaks = 0;
  /** How often in a row the token was refused. */
  #refusals = 0;
  /** How long nothing may come. */
  #silenceMs: number;
  /** Whether a gap came that the stream is to fail at. */
  #failing = false;

  constructor(
    caller: Caller,
    request: AgentEventsRequest,
    settings: EventSettings,
    buffer: ResponseBuffer<AgentEventsResponse>,
    changes: Changes,
    stop: AbortSignal,
  ) {
    this.#caller = caller;
    this.#request = request;
    this.#settings = settings;
    this.#buffer = buffer;
    this.#changes = changes;
    this.#stop = stop;
    this.#silenceMs = settings.silenceMs;
  }

  /** Receives until the stream is over for good; throws what is for the application. */
  async run(): Promise<void> {
    while (!this.#stop.aborted) {
      const reconnection = await this.#connection();
      if (!reconnection) {
        return;
      }
      if (this.#failing) {
        // The server was about to say so. To connect again would pass over the gap.
        throw new ChatbridgeError(Code.OutOfRange, "events after the start are gone", { reason: "CURSOR_GAP" });
      }
      this.#changes.broke();
      if (!this.#settings.resume) {
        if (reconnection.error) {
          throw reconnection.error;
        }
        return;
      }
      await this.#wait(reconnection);
    }
  }

  async #wait({ problem, error, atLeastMs, firstWait }: Reconnection): Promise<void> {
    const waitMs = atLeastMs + delayMs(this.#settings.backoff, firstWait ? 0 : this.#breaks);
    this.#breaks++;
    this.#settings.onBreak?.({ problem, error, waitMs });
    await pause(waitMs, this.#stop);
  }

  /** One connection, from its opening to its end; how to go on, or undefined: not at all. */
  async #connection(): Promise<Reconnection | undefined> {
    const { link } = this.#caller;
    const { generation } = link;
    const abort = new LinkedAbort(this.#stop);
    let silent: Reconnection | undefined;
    let limitMs = this.#settings.openTimeoutMs;
    const watchdog = new Watchdog(() => {
      silent = afterSilence(limitMs);
      abort.abort();
    });
    let firstAtMs: number | undefined;
    try {
      const headers = await this.#caller.headers(this.#stop);
      try {
        watchdog.start(limitMs);
        const method = AgentEventService.method.agentEvents;
        const answer = await link.transport.stream(method, abort.signal, undefined, headers, only(this.#request));
        for await (const response of answer.message) {
          watchdog.stop();
          firstAtMs ??= performance.now();
          if (this.#accept(response)) {
            return this.#ended(response.payload.value as Ending);
          }
          await this.#buffer.room();
          limitMs = this.#silenceMs;
          watchdog.start(limitMs);
        }
        return afterSilentEnd();
      } catch (thrown) {
        this.#stop.throwIfAborted();
        if (silent) {
          link.renew(generation);
          return silent;
        }
        return this.#broken(thrown);
      }
    } finally {
      watchdog.stop();
      abort.abort();
      abort.release();
      if (firstAtMs !== undefined && performance.now() - firstAtMs >= this.#settings.stableAfterMs) {
        this.#breaks = 0;
      }
    }
  }

  /** Whether it was the stream's ending. */
  #accept(response: AgentEventsResponse): boolean {
    this.#refusals = 0;
    this.#failing ||= failsStream(response, this.#request);
    // A subscription knows by itself where to go on.
    if (response.cursor.length > 0 && this.#request.subscription === "" && !this.#failing) {
      this.#request.start = { case: "cursor", value: response.cursor };
    }
    const { payload } = response;
    if (payload.case === "heartbeat") {
      if (payload.value.interval) {
        this.#silenceMs = 2 * durationMs(payload.value.interval);
      }
      if (payload.value.streamId !== "") {
        this.#changes.named(payload.value.streamId);
      }
    } else if (payload.case === "changed") {
      this.#changes.told(payload.value.revision);
    }
    this.#changes.work();
    this.#buffer.put(response);
    return payload.case === "ending";
  }

  #ended(ending: Ending): Reconnection | undefined {
    if (!this.#settings.resume) {
      return undefined;
    }
    const reconnection = afterEnding(ending);
    if (!reconnection) {
      throw new StreamEndedError(ending);
    }
    return reconnection;
  }

  #broken(thrown: unknown): Reconnection {
    const error = readError(thrown, false);
    if (error.code === Code.Unauthenticated) {
      this.#refusals++;
    }
    const reconnection = afterError(error, this.#caller.tokenMayChange ? this.#refusals : undefined);
    if (!reconnection) {
      throw error;
    }
    return reconnection;
  }
}
