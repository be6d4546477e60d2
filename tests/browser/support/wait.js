// Waiting for what is to come. Long enough for a machine that is busy with other things: nobody waits so long for what works.

export const WAIT_MS = 60_000;

/**
 * Asks until the answer is one, and gives it.
 *
 * @template T
 * @param {string | (() => string)} what  What is waited for, as the error says it.
 * @param {() => T | Promise<T>} ask
 * @returns {Promise<Exclude<T, null | undefined | false | 0 | "">>}
 */
export async function until(what, ask) {
  const deadlineMs = performance.now() + WAIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer) {
      return /** @type {Exclude<T, null | undefined | false | 0 | "">} */ (answer);
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`${typeof what === "string" ? what : what()} did not come within ${String(WAIT_MS / 1000)} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
