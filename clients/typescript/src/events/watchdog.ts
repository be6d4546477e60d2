import { timer } from "../durations.js";

/** A timer that comes this much late was held up with the whole process, and so was what it watches. */
const HELD_UP_MS = 1000;

/** Tells when nothing came for too long while something was waited for. */
export class Watchdog {
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onSilence: () => void) {
    this.#onSilence = onSilence;
  }

  /** Begins to wait anew. */
  start(limitMs: number): void {
    this.stop();
    const startedMs = performance.now();
    this.#timer = timer(() => {
      if (performance.now() - startedMs - limitMs > HELD_UP_MS) {
        // The machine slept, or the application kept the thread: what came meanwhile has not been looked at.
        this.start(limitMs);
      } else {
        this.#onSilence();
      }
    }, limitMs);
  }

  /** Nothing is waited for. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
