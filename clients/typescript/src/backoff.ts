/** Waits that double, of which a random part is taken ("full jitter"), so that many clients do not come back at once. */
export interface Backoff {
  /** The first wait at most, in ms. */
  readonly firstMs: number;
  /** No wait is longer, in ms. */
  readonly maxMs: number;
}

/** A random part of the wait after `attempt` failures before this one: 0 gives the first wait. */
export function delayMs(backoff: Backoff, attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(backoff.maxMs, backoff.firstMs * 2 ** attempt);
}
