/** A timer cannot wait for longer; one that is told to fires at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** `setTimeout` that takes any number. */
export function timer(action: () => void, afterMs: number): ReturnType<typeof setTimeout> {
  return setTimeout(action, Math.min(Math.max(afterMs, 0), TIMER_MAX_MS));
}

/** Waits; rejects with the signal's reason where that is aborted first. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abandoned = (): void => {
      clearTimeout(id);
      reject(signal.reason as Error);
    };
    const id = timer(() => {
      signal.removeEventListener("abort", abandoned);
      resolve();
    }, ms);
    if (signal.aborted) {
      abandoned();
    } else {
      signal.addEventListener("abort", abandoned, { once: true });
    }
  });
}

/** What a function gives, or the signal's reason where that is aborted first. */
export function raced<T>(action: () => T | PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abandoned = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", abandoned, { once: true });
    void (async () => action())()
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener("abort", abandoned);
      });
  });
}

/** A controller that is aborted with each of the signals, until `release` is called. */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #links: { signal: AbortSignal; listener: () => void }[] = [];

  constructor(...signals: (AbortSignal | undefined)[]) {
    for (const signal of signals) {
      if (signal?.aborted) {
        this.abort(signal.reason);
      } else if (signal) {
        const listener = (): void => {
          this.abort(signal.reason);
        };
        signal.addEventListener("abort", listener, { once: true });
        this.#links.push({ signal, listener });
      }
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  /** Takes the listeners off signals that live longer. */
  release(): void {
    for (const { signal, listener } of this.#links.splice(0)) {
      signal.removeEventListener("abort", listener);
    }
  }
}
