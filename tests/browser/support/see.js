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
