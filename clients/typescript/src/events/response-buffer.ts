/** What was received and not asked for yet. One side puts, one side takes; it holds no more than it may. */
export class ResponseBuffer<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wakeTaker: (() => void) | undefined;
  #wakeGiver: (() => void) | undefined;

  /** `limit`: how many it may hold; at least 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Puts one in. Ask for `room` before the next one is received. */
  put(item: T): void {
    if (!this.#end) {
      this.#items.push(item);
      this.#wakeTaker?.();
    }
  }

  /** Waits until another one may be put in, or it has ended. */
  async room(): Promise<void> {
    while (!this.#end && this.#items.length >= this.#limit) {
      await new Promise<void>((resolve) => {
        this.#wakeGiver = resolve;
      });
    }
  }

  /** The next one, or undefined at the end. What it ended with is thrown. */
  async take(): Promise<T | undefined> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        this.#wakeGiver?.();
        return item;
      }
      if (this.#end) {
        if ("error" in this.#end) {
          throw this.#end.error;
        }
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve;
      });
    }
  }

  /** Nothing more comes; what is held can still be taken. The first end counts. */
  end(end: { readonly error?: unknown } = {}): void {
    this.#end ??= end;
    this.#wakeTaker?.();
    this.#wakeGiver?.();
  }

  /** Nobody wants the rest. */
  discard(): void {
    this.#items.length = 0;
    this.#end = {};
    this.end();
  }
}
