// Working without a mouse.
import assert from "node:assert/strict";

/** More controls than any page has. */
const MOST = 200;

/**
 * Goes to a control by Tab alone. Where it arrives, it must be seen.
 *
 * @param {import("playwright-core").Page} page
 * @param {import("playwright-core").Locator} control
 */
export async function tabTo(page, control) {
  await control.waitFor({ state: "attached" });
  for (let pressed = 0; pressed < MOST; pressed += 1) {
    if (await control.evaluate((it) => it === document.activeElement)) {
      assert.ok(await control.evaluate(outlined), "the focus is not seen");
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${String(control)}`);
}

/**
 * Goes to a control and uses it.
 *
 * @param {import("playwright-core").Page} page
 * @param {import("playwright-core").Locator} control
 */
export async function press(page, control) {
  await tabTo(page, control);
  await page.keyboard.press("Enter");
}

/**
 * Writes a letter and takes it back, as somebody does who hesitates.
 *
 * @param {import("playwright-core").Page} page
 */
export async function hesitate(page) {
  await page.keyboard.press("x");
  await page.keyboard.press("Backspace");
}

/**
 * Chooses in a list by its arrows.
 *
 * @param {import("playwright-core").Page} page
 * @param {import("playwright-core").Locator} list
 * @param {string} title
 */
export async function choose(page, list, title) {
  await tabTo(page, list);
  const chosen = () => list.evaluate((it) => (it instanceof HTMLSelectElement ? it.selectedOptions[0]?.label : null));
  for (let pressed = 0; (await chosen()) !== title; pressed += 1) {
    assert.ok(pressed < MOST, `${title} is not in the list`);
    await page.keyboard.press("ArrowDown");
  }
}

/** @param {Element} element */
function outlined(element) {
  const shown = (/** @type {Element | null} */ it) => {
    const style = it && getComputedStyle(it);
    return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  // A file's input lies under the label that looks like a button.
  return Boolean(shown(element) || shown(element.closest("label")));
}
