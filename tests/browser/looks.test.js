// How the pages look: what a checker for accessibility finds, and whether they fit, in light, in dark and on a phone. With
// CHATBRIDGE_PICTURES set to a folder, they are drawn into it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { Customer } from "./support/customer.js";
import { Desk } from "./support/desk.js";
import { hesitate } from "./support/keyboard.js";
import { png } from "./support/png.js";
import { shows, showsWhile } from "./support/see.js";
import { play } from "./support/stage.js";
import { until } from "./support/wait.js";

/** @typedef {import("playwright-core").Page} Page */

const PICTURES = process.env["CHATBRIDGE_PICTURES"];
const PHONE = { width: 390, height: 844 };
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

play("the pages in light, dark and on a phone", async ({ bot, browser, service }) => {
  const doors = [await browser.open("desk-door", "/desk"), await browser.open("customer-door", "/customer")];
  for (const page of doors) {
    await check(page, "");
  }

  const maria = await Desk.signIn(browser, "Maria");
  await conversations(maria, bot, service);
  await check(maria.page, "desk");
  for (const panel of /** @type {const} */ (["Card", "Transfer", "Wrap up"])) {
    await maria.opens(panel);
    await check(maria.page, "");
    await maria.opens(panel);
  }

  const ben = await Customer.begins(browser, "Ben", "Good day");
  await ben.chooses("What is it about?", "My parcel");
  await ben.line("It is on its way:").waitFor();
  await ben.chooses("What is it about?", "A person");
  await maria.takes("Ben");
  await maria.says("Hello Ben, this is Maria from Orders. I have your parcel on my screen.");
  await ben.says("Can it come on Friday?");
  await maria.answer.pressSequentially("Yes, of");
  await showsWhile(ben.activity, "Maria is typing …", () => hesitate(maria.page));
  await check(ben.page, "customer");

  const wire = await browser.open("wire", "/wire", { viewport: { width: 1280, height: 720 } });
  await service.control("POST", "/faults", {
    kind: "status",
    status: 429,
    retryAfterSeconds: 1,
    times: 1,
    path: "/messages",
  });
  await service.control("POST", "/faults", { kind: "duplicate", eventType: "MESSAGE" });
  await bot.does("write", { text: "Thank you." });
  await wire.locator("#records tr").filter({ hasText: "429" }).waitFor();
  await maria.says("You will have it on Friday.");
  await wire.locator("#records tr").filter({ hasText: "duplicate" }).waitFor();
  await check(wire, "wire");
  await wire.locator("#records").getByRole("button", { name: "MESSAGE" }).first().click();
  await shows(wire.locator("#detail"), "to sandbox-webhook");
  await check(wire, "");
});

/**
 * One that somebody waits with, and one that Maria is in the middle of.
 *
 * @param {Desk} maria
 * @param {import("./support/bot.js").Bot} bot
 * @param {import("./support/service.js").Service} service
 */
async function conversations(maria, bot, service) {
  await bot.does("write", { text: "Where is my parcel?" });
  await bot.does("hand_over", {
    user: { name: "Anna", userId: "anna-1", email: "anna@example.com", language: "en" },
    context: { orderId: "4711", basket: "3 things" },
    file: { name: "photo.png", content: png(200, 80).toString("base64") },
  });
  await maria.takes("Anna");
  await maria.says("Hello Anna, this is Maria from Orders. How can I help you?");
  await bot.does("reads");
  await bot.does("write", { text: "It came with a broken lid. Can I have another one?" });
  await maria.line("broken lid").waitFor();
  await service.rest("POST", "/conversations", {
    channelId: "sandbox-chat",
    user: { name: "Kim" },
    history: { messages: [{ authorType: "user", text: "Is anybody there?" }] },
  });
  await maria.offers.getByRole("button", { name: "Kim" }).waitFor();
  await showsWhile(maria.activity, "Anna is typing …", () => bot.does("types"));
}

/**
 * Looks at a page in every way; with a name, draws it.
 *
 * @param {Page} page
 * @param {string} name
 */
async function check(page, name) {
  const wide = page.viewportSize() ?? PHONE;
  for (const [look, scheme, size] of /** @type {const} */ ([
    ["light", "light", wide],
    ["dark", "dark", wide],
    ["phone", "light", PHONE],
  ])) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize(size);
    await fits(page, size.width);
    await accessible(page, `${name} ${look}`);
    if (PICTURES && name) {
      await page.screenshot({ path: `${PICTURES}/${name}-${look}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(wide);
}

// Nothing is beside the page, where one would have to scroll sideways.
/**
 * @param {Page} page
 * @param {number} width
 */
async function fits(page, width) {
  await until("the new width", () => page.evaluate((it) => innerWidth === it, width));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `${page.url()} is ${String(wide)} wide on ${String(width)}`);
}

/**
 * @param {Page} page
 * @param {string} what
 */
async function accessible(page, what) {
  if (!(await page.evaluate(() => "axe" in globalThis))) {
    await page.evaluate(AXE);
  }
  const violations = await page.evaluate(async () => {
    const { axe } = /** @type {{ axe: typeof import("axe-core") }} */ (/** @type {unknown} */ (globalThis));
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.map((it) => `${it.help}: ${it.nodes.map((node) => node.html).join(" ")}`);
  });
  assert.deepEqual(violations, [], `${page.url()} ${what}`);
}
