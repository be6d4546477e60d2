// What can be read on a page.
import { until } from "./wait.js";

/**
 * Waits until `text` can be read in a place.
 *
 * @param {import("playwright-core").Locator} place
 * @param {string} text
 */
export async function shows(place, text) {
  let last = "";
  const missing = () => `“${text}”, where there is “${last}”,`;
  await until(missing, async () => {
    last = (await place.isVisible()) ? await place.innerText() : "(not shown)";
    return last.includes(text);
  });
}

/** For so long somebody looks before they do it again. */
const LOOK_MS = 2_000;

/**
 * Waits until something can be read that passes by itself: it is done again as long as nobody saw it.
 *
 * @param {import("playwright-core").Locator} place
 * @param {string} text
 * @param {() => Promise<unknown>} act
 */
export async function showsWhile(place, text, act) {
  await until(`“${text}”`, async () => {
    await act();
    const seen = place.filter({ hasText: text }).waitFor({ timeout: LOOK_MS });
    return seen.then(
      () => true,
      () => false,
    );
  });
}

/**
 * The value that stands beside a name, in what is shown as pairs.
 *
 * @param {import("playwright-core").Locator} place
 * @param {string} name
 */
export function pair(place, name) {
  const term = place
    .page()
    .getByRole("term")
    .filter({ hasText: new RegExp(`^${name}$`) });
  return place.locator("dl > div").filter({ has: term }).getByRole("definition");
}
