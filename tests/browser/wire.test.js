// The page that shows every call and every webhook, and where things are made to go wrong.
import assert from "node:assert/strict";
import { shows } from "./support/see.js";
import { play } from "./support/stage.js";
import { until } from "./support/wait.js";

/** @typedef {import("playwright-core").Page} Page */

play(
  "the wire: calls and webhooks as they happen, and faults that the bot survives",
  async ({ bot, browser, service }) => {
    const page = await browser.open("wire", "/wire");
    await bot.does("write", { text: "Where is my parcel?" });
    const file = { name: "a.txt", content: Buffer.from("a file").toString("base64") };
    const id = String(await bot.does("hand_over", { user: { name: "Anna" }, context: {}, file }));
    const said = "Here I am, at last.";
    await service.control("POST", `/conversations/${id}/agent`, { action: "say", text: said });
    const heard = await bot.hears("the agent", (it) => it["message"]?.text === said);

    await callsAndWebhooks(page, id);
    await whatWasSent(page, heard.event["eventId"], said);
    await refusedOnce(page, bot);
    await sentTwice(page, bot, service, id);
    await allKinds(page);
    await page.getByRole("button", { name: "End all" }).click();
    await page.getByText("None: everything works.").waitFor();
  },
);

/**
 * The rows that have all of `texts`.
 *
 * @param {Page} page
 * @param {...string} texts
 */
function rows(page, ...texts) {
  let found = page.locator("#records tr");
  for (const text of texts) {
    found = found.filter({ hasText: text });
  }
  return found;
}

/**
 * @param {Page} page
 * @param {string} id
 */
async function callsAndWebhooks(page, id) {
  await rows(page, "call", "POST /conversations", "202").first().waitFor();
  await rows(page, `POST /conversations/${id}/attachments`, "200").waitFor();
  for (const type of ["CONVERSATION_UPDATE", "QUEUED", "MEMBERS_CHANGED", "MESSAGE"]) {
    await rows(page, "webhook", type, "delivered").first().waitFor();
  }
  await page.getByLabel("Show").selectOption("webhooks");
  await until("that only webhooks are shown", async () => (await rows(page, "POST").count()) === 0);
  await page.locator("#filter").getByLabel("Conversation").selectOption(id);
  await until(
    "that only those of the conversation are shown",
    async () => (await rows(page, "WEB_HOOK_VERIFY").count()) === 0,
  );
  await page.getByLabel("only what went wrong").check();
  await shows(page.locator("#count"), "0 shown");
  await page.getByLabel("only what went wrong").uncheck();
}

// And once more: Chatbridge takes it, and the bot does not hear it twice.
/**
 * @param {Page} page
 * @param {string} eventId
 * @param {string} said
 */
async function whatWasSent(page, eventId, said) {
  const detail = page.locator("#detail");
  // The newest stands first: what the agent said last.
  await rows(page, "MESSAGE").first().getByRole("button", { name: "MESSAGE" }).click();
  await shows(detail, `Event ${eventId}, to sandbox-webhook, 204, delivered`);
  await shows(detail.locator("#detail-body"), `"text": "${said}"`);
  await detail.getByRole("button", { name: "Send it again" }).click();
  await until(
    "the redelivery",
    async () => (await rows(page, "MESSAGE").first().locator("td").nth(3).innerText()) === "1",
  );
  await rows(page, "MESSAGE", "delivered").first().waitFor();
  await detail.getByRole("button", { name: "Close" }).click();
}

/**
 * @param {Page} page
 * @param {import("./support/bot.js").Bot} bot
 */
async function refusedOnce(page, bot) {
  await page.getByLabel("Show").selectOption("everything");
  await page.getByLabel("What goes wrong").selectOption("Refused calls");
  await page.getByLabel("Retry-After, seconds").fill("1");
  await page.getByLabel("Only paths with").fill("/messages");
  await page.getByRole("button", { name: "Set it" }).click();
  await shows(page.locator("#faults"), "Refused calls");
  await bot.does("write", { text: "Does this arrive?" });
  await rows(page, "/messages", "429").filter({ hasText: "status" }).waitFor();
  await shows(page.locator("#faults"), "happened once, and is over");
  // Chatbridge asked once more.
  await until("the second attempt", async () => (await rows(page, "/messages", "202").count()) === 2);
}

/**
 * @param {Page} page
 * @param {import("./support/bot.js").Bot} bot
 * @param {import("./support/service.js").Service} service
 * @param {string} id
 */
async function sentTwice(page, bot, service, id) {
  await page.getByLabel("What goes wrong").selectOption("Webhooks twice");
  await page.getByLabel("How often").fill("");
  await page.getByRole("button", { name: "Set it" }).click();
  await shows(page.locator("#faults"), "Webhooks twice");
  for (const text of ["Once?", "Only once."]) {
    await service.control("POST", `/conversations/${id}/agent`, { action: "say", text });
  }
  await bot.hears("the second", (it) => it["message"]?.text === "Only once.");
  await rows(page, "MESSAGE", "duplicate").first().waitFor();
  assert.equal(bot.heard.filter((it) => it["message"]?.text === "Once?").length, 1);
  assert.equal(bot.heard.filter((it) => it["message"]?.text === "Here I am, at last.").length, 1);
}

// Each kind can be set as the form offers it.
/** @param {Page} page */
async function allKinds(page) {
  const list = page.getByLabel("What goes wrong");
  const kinds = await list.getByRole("option").allInnerTexts();
  assert.equal(kinds.length, 10);
  const setting = (/** @type {import("playwright-core").Response} */ it) =>
    it.url().endsWith("/faults") && it.request().method() === "POST";
  for (const kind of kinds) {
    await list.selectOption(kind);
    const set = page.getByRole("button", { name: "Set it" });
    const [answer] = await Promise.all([page.waitForResponse(setting), set.click()]);
    assert.ok(answer.ok(), `${kind} ${String(answer.status())}`);
    // A new key is there at once, and is not listed.
    if (kind !== "A new signing key") {
      await page.locator("#faults > li").filter({ hasText: kind }).last().waitFor();
    }
  }
}
