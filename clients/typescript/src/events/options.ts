import type { Backoff } from "../backoff.js";
import type { StreamBreak } from "./breaks.js";

/**
 * Where an application keeps the cursor of what it has processed. Either function may wait, and what it throws ends the stream and
 * is thrown by the iteration.
 */
export interface CursorStore {
  /** Asked once, before the stream connects: what it gives is where the stream starts, whatever the request says. */
  load(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Keeps the cursor of a response that was processed: the application asked for the one after it, or closed the stream. */
  save(cursor: Uint8Array): void | Promise<void>;
}

/** What a stream may have of its own; a client can have defaults for all its streams. */
export interface EventOptions {
  /**
   * Ends the stream as `close` does, but does not take the last response for processed: that is so once the iteration asks for the
   * next. The way to stop a loop from elsewhere.
   */
  readonly signal?: AbortSignal;
  /** Where the cursor is kept; not with a subscription. Absent: nowhere. */
  readonly cursors?: CursorStore;
  /** Whether it connects again after breaks. Absent: true. Otherwise a break is thrown, and an `ending` ends the iteration. */
  readonly resume?: boolean;
  /** How many responses it may hold that were not asked for. Absent: 64; at least 1. */
  readonly buffer?: number;
  /** Waits between attempts. Absent: from 200 ms to 10 s. */
  readonly backoff?: Backoff;
  /** A connection that held for so long is a good one: the backoff starts over. In ms; absent: 5000. */
  readonly stableAfterMs?: number;
  /** How long it may take until the first response comes, in ms. Absent: 10,000. */
  readonly openTimeoutMs?: number;
  /**
   * How long nothing may come, in ms, until a heartbeat tells how often they come: from then on it is twice that. Absent: 40,000.
   */
  readonly silenceMs?: number;
  /** Is told of each break once, before the wait. It gets no token, text or cursor. */
  readonly onBreak?: (told: StreamBreak) => void;
}

/** Options with everything filled in that has a default. */
export interface EventSettings extends EventOptions {
  readonly resume: boolean;
  readonly buffer: number;
  readonly backoff: Backoff;
  readonly stableAfterMs: number;
  readonly openTimeoutMs: number;
  readonly silenceMs: number;
}

/** A stream's own options, the client's, and the defaults, in this order. */
export function eventSettings(own: EventOptions, client: EventOptions): EventSettings {
  const settings = {
    resume: true,
    buffer: 64,
    backoff: { firstMs: 200, maxMs: 10_000 },
    stableAfterMs: 5_000,
    openTimeoutMs: 10_000,
    silenceMs: 40_000,
    ...client,
    ...own,
  };
  if (!(settings.buffer >= 1)) {
    throw new RangeError("buffer must be at least 1");
  }
  return settings;
}
