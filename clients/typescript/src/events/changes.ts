import { ChatbridgeError } from "../errors.js";
import type { ChangeAgentEventsRequest } from "../gen/chatbridge/v1/agent_event_service_pb.js";
import { afterError } from "./breaks.js";

/** Makes a change of the stream with this identifier; the number that the server gave it. */
export type MakeChange = (change: ChangeAgentEventsRequest, streamId: string) => Promise<bigint>;

interface Wanted {
  readonly change: ChangeAgentEventsRequest;
  /** Whoever waits for it; absent: it was accepted before a break and is made anew. */
  waiter?: { readonly resolve: () => void; readonly reject: (error: unknown) => void };
}

/**
 * The changes of one stream, over its breaks. They are made one after the other, in the order in which they were asked for. What
 * the stream told of (`changed`) holds; what was accepted and not told of is made anew after a break.
 */
export class Changes {
  readonly #make: MakeChange;
  readonly #holds: (change: ChangeAgentEventsRequest) => void;
  readonly #fail: (error: unknown) => void;
  /** Empty while the stream is not connected. */
  #streamId = "";
  #told = 0n;
  readonly #accepted = new Map<bigint, ChangeAgentEventsRequest>();
  #wanted: Wanted[] = [];
  #working = false;
  #ended: Error | undefined;

  /** `holds` is told of each change that the stream has; `fail`, of an error that nobody else waits for. */
  constructor(make: MakeChange, holds: (change: ChangeAgentEventsRequest) => void, fail: (error: unknown) => void) {
    this.#make = make;
    this.#holds = holds;
    this.#fail = fail;
  }

  /** Makes a change as soon as the stream has an identifier; done when the server accepted it. */
  want(change: ChangeAgentEventsRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      this.#wanted.push({ change, waiter: { resolve, reject } });
      this.work();
    });
  }

  /** The stream is connected and has a name. */
  named(streamId: string): void {
    this.broke();
    this.#streamId = streamId;
    this.#told = 0n;
    this.work();
  }

  /** The stream is not connected any more. */
  broke(): void {
    this.#streamId = "";
    // A Map keeps the order of insertion, which is that of the numbers.
    const anew = [...this.#accepted.values()].map((change) => ({ change }));
    this.#wanted = [...anew, ...this.#wanted];
    this.#accepted.clear();
  }

  /** The stream told that all changes up to this number hold. */
  told(revision: bigint): void {
    this.#told = revision;
    for (const [number, change] of this.#accepted) {
      if (number <= revision) {
        this.#accepted.delete(number);
        this.#holds(change);
      }
    }
  }

  /** No stream comes any more: whoever waits is told so. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const { waiter } of this.#wanted.splice(0)) {
      waiter?.reject(error);
    }
  }

  /** Makes what is wanted, unless that is going on already. */
  work(): void {
    if (!this.#working) {
      this.#working = true;
      void this.#workOff();
    }
  }

  async #workOff(): Promise<void> {
    for (let next = this.#wanted[0]; next && this.#streamId !== ""; next = this.#wanted[0]) {
      const streamId = this.#streamId;
      try {
        const revision = await this.#make(next.change, streamId);
        this.#accept(next, streamId, revision);
      } catch (error) {
        if (!this.#refuse(next, streamId, error)) {
          break;
        }
      }
    }
    this.#working = false;
  }

  #accept(wanted: Wanted, streamId: string, revision: bigint): void {
    wanted.waiter?.resolve();
    delete wanted.waiter;
    if (streamId === this.#streamId) {
      this.#drop(wanted);
      this.#accepted.set(revision, wanted.change);
      // The stream may have told of it before the call was answered.
      this.told(this.#told);
    }
    // Otherwise the stream that it was made for is over: it stays where it is, to be made anew.
  }

  /** Whether to go on with the next one at once. */
  #refuse(wanted: Wanted, streamId: string, error: unknown): boolean {
    const gone = error instanceof ChatbridgeError && error.reason === "STREAM_UNKNOWN";
    if (gone && streamId !== this.#streamId) {
      return true; // It was made for a stream that broke meanwhile, and waits for the next.
    }
    if (wanted.waiter) {
      this.#drop(wanted);
      wanted.waiter.reject(error);
      return true;
    }
    if (gone || (error instanceof ChatbridgeError && afterError(error))) {
      return false; // The next response tries again; this stream may be over.
    }
    this.#fail(error);
    return false;
  }

  #drop(wanted: Wanted): void {
    this.#wanted = this.#wanted.filter((other) => other !== wanted);
  }
}
