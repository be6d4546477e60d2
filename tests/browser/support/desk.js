// The agent's desk, as somebody who uses it sees it.
import { readFile } from "node:fs/promises";
import { shows } from "./see.js";

/** @typedef {import("playwright-core").Page} Page */

/** A desk at which an agent sits. */
export class Desk {
  /**
   * @param {import("./browser.js").Browser} browser
   * @param {string} agent
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  static async signIn(browser, agent, options) {
    const page = await browser.open(agent, "/desk", options);
    await page.getByRole("button", { name: agent }).click();
    await page.getByRole("heading", { name: agent, level: 1 }).waitFor();
    return new Desk(page);
  }

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.log = page.getByRole("log", { name: "Conversation" });
    this.customer = page.getByRole("complementary", { name: "The customer" });
    this.answer = page.getByLabel("Your answer");
    this.activity = page.locator("#activity");
    this.state = page.locator("#talk-state");
    this.offers = page.locator("#offers");
    this.own = page.locator("#mine");
  }

  /** @param {string} name */
  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /**
   * Turns to what is offered, and takes it.
   *
   * @param {string} customer
   */
  async takes(customer) {
    await this.offers.getByRole("button", { name: customer }).click();
    await this.button("Accept").click();
    await shows(this.state, "With you");
  }

  /**
   * The lines of the conversation in which `text` stands.
   *
   * @param {string} text
   */
  line(text) {
    return this.log.getByRole("article").filter({ hasText: text });
  }

  /** @param {string} text */
  async says(text) {
    await this.answer.fill(text);
    await this.answer.press("Enter");
    await this.line(text).waitFor();
  }

  /**
   * Opens one of the panels below the answer.
   *
   * @param {"Card" | "Transfer" | "Wrap up"} name
   */
  async opens(name) {
    await this.page.locator(".opens", { hasText: name }).click();
  }

  /** @param {string} target  As the list has it. */
  async transfersTo(target) {
    await this.opens("Transfer");
    const form = this.page.locator("#transfer-form");
    await form.getByLabel("To").selectOption(target);
    await form.getByRole("button").click();
  }

  /**
   * @param {string} code
   * @param {string} note
   */
  async writesUp(code, note) {
    const form = this.page.locator("#wrap-form");
    await form.getByLabel("Transaction code").selectOption(code);
    await form.getByLabel("Note").fill(note);
    await form.getByRole("button").click();
  }
}

/**
 * What somebody gets who follows a link to a file.
 *
 * @param {Page} page
 * @param {() => Promise<void>} follow
 */
export async function downloaded(page, follow) {
  const [download] = await Promise.all([page.waitForEvent("download"), follow()]);
  return { name: download.suggestedFilename(), content: await readFile(await download.path()) };
}
