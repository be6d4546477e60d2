// The customer's page, the vendor's widget, as somebody who uses it sees it.

/** A customer who writes in the widget. */
export class Customer {
  /**
   * @param {import("./browser.js").Browser} browser
   * @param {string} name
   * @param {string} text  The first message.
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  static async begins(browser, name, text, options) {
    const page = await browser.open(name, "/customer", options);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("First message").fill(text);
    await page.getByRole("button", { name: "Begin", exact: true }).click();
    await page.getByRole("heading", { name, level: 1 }).waitFor();
    return new Customer(page);
  }

  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.page = page;
    this.log = page.getByRole("log", { name: "Conversation" });
    this.message = page.getByLabel("Your message");
    this.activity = page.locator("#activity");
    this.state = page.locator("#talk-state");
  }

  /** The conversation's identifier, which the page's address has. */
  get id() {
    return decodeURIComponent(new URL(this.page.url()).hash.slice(1));
  }

  /** @param {string} text */
  line(text) {
    return this.log.getByRole("article").filter({ hasText: text });
  }

  /** @param {string} text */
  async says(text) {
    await this.message.fill(text);
    await this.message.press("Enter");
    await this.line(text).waitFor();
  }

  /**
   * Uses what is on a card.
   *
   * @param {string} text  Of the message with the card.
   * @param {string} title
   */
  async chooses(text, title) {
    await this.line(text).getByRole("button", { name: title, exact: true }).click();
  }
}
