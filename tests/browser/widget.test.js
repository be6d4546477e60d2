// The vendor's second flow: the conversation begins in the widget, and the bot hears it and hands it over. The agents work by
// keyboard alone.
import assert from "node:assert/strict";
import { Customer } from "./support/customer.js";
import { Desk, downloaded } from "./support/desk.js";
import { choose, hesitate, press, tabTo } from "./support/keyboard.js";
import { pair, shows, showsWhile } from "./support/see.js";
import { play } from "./support/stage.js";
import { until } from "./support/wait.js";

/** @typedef {import("./support/bot.js").Bot} Bot */

const TERMS = Buffer.from("Terms\n".repeat(1000));
const PHOTO = Buffer.from("not really a photo");

play("a conversation that begins in the widget, and agents who work by keyboard", async ({ bot, browser }) => {
  const maria = await arrives(browser, "Maria");
  const ivan = await arrives(browser, "Ivan");
  const ben = await Customer.begins(browser, "Ben", "Good day");
  await talksToTheBot(ben, bot);
  await wantsAPerson(ben, maria, bot);
  await accepts(maria, ben, bot);
  await talk(maria, ben, bot);
  await useACard(maria, ben, bot);
  await exchangeFiles(maria, ben, bot);
  await passOn(maria, ivan, ben);
  await handBackToTheBot(ivan, ben, bot);
  await opensAnew(maria, ben, bot);
});

/**
 * @param {import("./support/browser.js").Browser} browser
 * @param {string} agent
 */
async function arrives(browser, agent) {
  const page = await browser.open(agent, "/desk");
  await press(page, page.getByRole("button", { name: agent }));
  await page.getByRole("heading", { name: agent, level: 1 }).waitFor();
  return new Desk(page);
}

/**
 * @param {Customer} ben
 * @param {Bot} bot
 */
async function talksToTheBot(ben, bot) {
  await shows(ben.state, "With the bot");
  const begun = await bot.hears("the customer", (it) => it["message"]?.text === "Good day");
  assert.equal(begun.event["conversationId"], ben.id);
  assert.equal(begun.event["message"].sender.type, "AUTHOR_TYPE_USER");
  await ben.chooses("What is it about?", "My parcel");
  const chosen = await bot.hears("the choice", (it) => it["quickReply"], begun.after);
  assert.equal(chosen.event["quickReply"].title, "My parcel");
  assert.equal(chosen.event["quickReply"].payload, "my parcel");
  await shows(pair(ben.line("It is on its way:"), "Arrives"), "Tuesday");
}

// The bot learns while the customer waits, and the agent sees it who has not yet accepted.
/**
 * @param {Customer} ben
 * @param {Desk} maria
 * @param {Bot} bot
 */
async function wantsAPerson(ben, maria, bot) {
  await ben.chooses("What is it about?", "A person");
  await shows(ben.state, "Waiting for an agent in Orders");
  await bot.hears("that it waits", (it) => it["queued"]?.queueName === "Orders");
  await press(maria.page, maria.offers.getByRole("button", { name: "Ben" }));
  await shows(maria.state, "Offered · Orders · WebChat");
  await shows(maria.line("Good day"), "Ben");
  await shows(maria.line("It is on its way:"), "Bot");
  await shows(maria.customer, "Not a known customer");
  await shows(maria.customer, "No context was given.");

  await ben.says("I am ben@example.com");
  await shows(maria.customer, "Found by e-mail");
  await shows(pair(maria.customer, "Tier"), "Standard");
  await shows(pair(maria.customer, "orderId"), "4711");
  await maria.line("I am ben@example.com").waitFor();
  await shows(maria.page.locator("#answer"), "Offered to you");
}

/**
 * @param {Desk} maria
 * @param {Customer} ben
 * @param {Bot} bot
 */
async function accepts(maria, ben, bot) {
  await press(maria.page, maria.button("Accept"));
  await shows(maria.state, "With you");
  await shows(ben.state, "With Maria");
  await bot.hears("the agent", (it) => it["memberChanged"]?.member.id === "maria");
  // Whoever has accepted can write at once.
  await until("the answer's focus", () => maria.answer.evaluate((it) => it === document.activeElement));
}

/**
 * @param {Desk} maria
 * @param {Customer} ben
 * @param {Bot} bot
 */
async function talk(maria, ben, bot) {
  await maria.page.keyboard.type("Hello Ben,");
  await showsWhile(ben.activity, "Maria is typing …", () => hesitate(maria.page));
  // The second of the prepared responses: the list is opened, or the first that an arrow reaches would be taken.
  await tabTo(maria.page, maria.page.getByLabel("Prepared response"));
  for (const key of ["Alt+ArrowDown", "ArrowDown", "ArrowDown", "Enter"]) {
    await maria.page.keyboard.press(key);
  }
  const text = "Hello Ben, One moment, please. I am looking into it.";
  await until("the prepared response", async () => (await maria.answer.inputValue()) === text);
  await until("the answer's focus", () => maria.answer.evaluate((it) => it === document.activeElement));
  await maria.page.keyboard.press("Shift+Enter");
  await maria.page.keyboard.type("Maria");
  await maria.page.keyboard.press("Enter");
  await shows(ben.line("One moment, please."), "Maria");
  await bot.hears("what she says", (it) => it["message"]?.text === `${text}\nMaria`);
  await shows(maria.line("One moment, please."), "Read by the customer");
  await ben.message.pressSequentially("Thank");
  await showsWhile(maria.activity, "Ben is typing …", () => hesitate(ben.page));
  await ben.message.press("Enter");
  await maria.line("Thank").waitFor();
}

/**
 * @param {Desk} maria
 * @param {Customer} ben
 * @param {Bot} bot
 */
async function useACard(maria, ben, bot) {
  await press(maria.page, maria.button("Card"));
  await tabTo(maria.page, maria.page.getByLabel("Adaptive card, as JSON"));
  await maria.page.keyboard.press("Escape");
  await tabTo(maria.page, maria.button("Card"));
  await maria.page.keyboard.press("Enter");
  // The card that stands there.
  await press(maria.page, maria.button("Send the card"));
  await shows(pair(ben.line("Your parcel"), "Arrives"), "Tuesday");
  await ben.chooses("Your parcel", "That is fine");
  await shows(maria.line("Your parcel"), "Submitted");
  await shows(ben.line("Your parcel"), "Submitted");
  const used = await bot.hears("that it was used", (it) => it["cardAction"]);
  assert.equal(used.event["cardAction"].data.name, "fine");
  await fillInACard(maria, ben, bot, used.after);
}

/**
 * @param {Desk} maria
 * @param {Customer} ben
 * @param {Bot} bot
 * @param {number} after
 */
async function fillInACard(maria, ben, bot, after) {
  const content = {
    type: "AdaptiveCard",
    version: "1.5",
    body: [
      { type: "TextBlock", text: "Another one?" },
      { type: "Input.Text", id: "colour", label: "Colour" },
    ],
    actions: [{ type: "Action.Submit", id: "wanted", title: "Yes, please" }],
  };
  await press(maria.page, maria.button("Card"));
  await tabTo(maria.page, maria.page.getByLabel("Adaptive card, as JSON"));
  await maria.page.keyboard.press("ControlOrMeta+a");
  await maria.page.keyboard.insertText(JSON.stringify(content));
  await press(maria.page, maria.button("Send the card"));
  await ben.line("Another one?").getByLabel("Colour").fill("blue");
  await ben.chooses("Another one?", "Yes, please");
  await shows(maria.line("Another one?"), "Submitted");
  const filled = await bot.hears("what was filled in", (it) => it["cardAction"], after);
  assert.equal(filled.event["cardAction"].data.colour, "blue");
}

/**
 * @param {Desk} maria
 * @param {Customer} ben
 * @param {Bot} bot
 */
async function exchangeFiles(maria, ben, bot) {
  await tabTo(maria.page, maria.page.getByLabel("Add a file"));
  const [chooser] = await Promise.all([maria.page.waitForEvent("filechooser"), maria.page.keyboard.press("Space")]);
  await chooser.setFiles({ name: "terms.txt", mimeType: "text/plain", buffer: TERMS });
  await maria.page.getByRole("button", { name: "Leave out terms.txt" }).waitFor();
  await tabTo(maria.page, maria.answer);
  await maria.page.keyboard.type("Our terms");
  await maria.page.keyboard.press("Enter");
  const theirs = ben.line("Our terms").getByRole("link", { name: "terms.txt" });
  const got = await downloaded(ben.page, () => theirs.click());
  assert.deepEqual(got, { name: "terms.txt", content: TERMS });
  const sent = await bot.hears("the agent's file", (it) => it["message"]?.text === "Our terms");
  assert.equal(sent.event["message"].attachments[0].fileName, "terms.txt");

  const files = { name: "photo.bin", mimeType: "application/octet-stream", buffer: PHOTO };
  await ben.page.getByLabel("Add a file").setInputFiles(files);
  await ben.page.getByRole("button", { name: "Leave out photo.bin" }).waitFor();
  await ben.says("My photo");
  const link = maria.line("My photo").getByRole("link", { name: "photo.bin" });
  const file = await downloaded(maria.page, () => press(maria.page, link));
  assert.deepEqual(file, { name: "photo.bin", content: PHOTO });
  await bot.hears("the customer's file", (it) => it["message"]?.attachments?.[0].fileName === "photo.bin");
}

// To an agent, not to a queue.
/**
 * @param {Desk} maria
 * @param {Desk} ivan
 * @param {Customer} ben
 */
async function passOn(maria, ivan, ben) {
  await press(maria.page, maria.button("Transfer"));
  const form = maria.page.locator("#transfer-form");
  await choose(maria.page, form.getByLabel("To"), "Agent: Ivan");
  await press(maria.page, form.getByRole("button"));
  await press(ivan.page, ivan.offers.getByRole("button", { name: "Ben" }));
  await shows(ivan.state, "Offered · transferred");
  await press(ivan.page, ivan.button("Accept"));
  await shows(ivan.state, "With you");
  await shows(ben.state, "With Ivan");
  await shows(ivan.line("Our terms"), "Maria");
}

// The bot asked for the conversation back when it gave it away.
/**
 * @param {Desk} ivan
 * @param {Customer} ben
 * @param {Bot} bot
 */
async function handBackToTheBot(ivan, ben, bot) {
  const before = bot.heard.length;
  await press(ivan.page, ivan.button("Wrap up"));
  const form = ivan.page.locator("#wrap-form");
  await choose(ivan.page, form.getByLabel("Transaction code"), "Needs a follow-up");
  await tabTo(ivan.page, form.getByLabel("Note"));
  await ivan.page.keyboard.type("Call on Friday.");
  await press(ivan.page, form.getByRole("button"));
  await shows(ivan.state, "With the bot");
  await shows(ivan.customer, "Needs a follow-up");
  await shows(ivan.customer, "Call on Friday.");
  const back = (/** @type {any} */ it) => it.state === "CONVERSATION_STATE_ACTIVE" && !it.assignment;
  await bot.hears("that it is back", (it) => it["conversationUpdated"] && back(it["conversationUpdated"]), before);
  await shows(ben.state, "With the bot");
  await ben.chooses("Did that help?", "Yes");
  await ben.line("I am glad. Goodbye!").waitFor();
  await shows(ben.state, "Ended. Writing again opens it anew.");
  await bot.hears("the end", (it) => it["state"] === "SESSION_STATE_IDLE", before);
}

/**
 * @param {Desk} maria
 * @param {Customer} ben
 * @param {Bot} bot
 */
async function opensAnew(maria, ben, bot) {
  const before = bot.heard.length;
  await ben.page.reload();
  await ben.says("One more thing");
  await shows(ben.state, "Waiting for an agent in Orders");
  await bot.hears("that it waits anew", (it) => it["queued"], before);
  await press(maria.page, maria.offers.getByRole("button", { name: "Ben" }));
  await shows(maria.customer, "Call on Friday.");
  await press(maria.page, maria.button("Accept"));
  await shows(ben.state, "With Maria");
  await ben.page.getByRole("button", { name: "Leave", exact: true }).click();
  await shows(ben.state, "Ended");
  await bot.hears("the end", (it) => it["state"] === "SESSION_STATE_IDLE", before);
  await shows(maria.state, "To be written up");
  await choose(maria.page, maria.page.getByLabel("Transaction code"), "Customer did not answer");
  await press(maria.page, maria.page.locator("#wrap-form").getByRole("button"));
  await shows(maria.state, "Ended");
}
