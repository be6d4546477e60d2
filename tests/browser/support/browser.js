// Chromium with an eye on what the pages may not do: reach another host, fail, or break their own policy.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { startChromium } from "../../../clients/typescript/build/driver/chromium.js";
import { WAIT_MS } from "./wait.js";

/** Where pages that a test failed on are drawn. */
const FAILED = fileURLToPath(new URL("../../../target/browser/", import.meta.url));

/** A browser in which each page belongs to somebody else. */
export class Browser {
  #browser;
  #origin;
  /** @type {string[]} */
  #findings = [];
  #requests = 0;
  /** @type {Map<string, import("playwright-core").Page>} */
  #pages = new Map();

  /** @param {string} origin */
  static async start(origin) {
    return new Browser(await startChromium(), origin);
  }

  /**
   * @param {import("playwright-core").Browser} browser
   * @param {string} origin
   */
  constructor(browser, origin) {
    this.#browser = browser;
    this.#origin = origin;
  }

  /**
   * Opens a page of the sandbox for `who`.
   *
   * @param {string} who
   * @param {string} path
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  async open(who, path, options = {}) {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const finds = (/** @type {string} */ what) => this.#findings.push(`${who}: ${what}`);
    context.on("request", (request) => {
      this.#requests += 1;
      if (new URL(request.url()).origin !== this.#origin) {
        finds(`a request to ${request.url()}`);
      }
    });
    context.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        finds(`${message.type()}: ${message.text()}`);
      }
    });
    context.on("weberror", (error) => finds(String(error.error())));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (it) => {
        console.error(`not allowed by ${it.effectiveDirective}: ${it.blockedURI}`);
      });
    });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    this.#pages.set(who, page);
    await page.goto(this.#origin + path);
    await page.getByText("Live", { exact: true }).waitFor();
    return page;
  }

  /** Says that nothing was wrong on any page. */
  check() {
    assert.deepEqual(this.#findings, []);
    assert.ok(this.#requests > 0);
  }

  /** Draws every page as it is, for whoever looks for what went wrong. */
  async draw() {
    await mkdir(FAILED, { recursive: true });
    for (const [who, page] of this.#pages) {
      await page.screenshot({ path: `${FAILED}${who}.png` });
    }
    console.error(`the pages as they were: ${FAILED}*.png`, this.#findings);
  }

  async stop() {
    await this.#browser.close();
  }
}
