// The vendor's first flow: our caller starts the conversation, with transcript and context, and two agents serve it at their desks.
import assert from "node:assert/strict";
import { Desk, downloaded } from "./support/desk.js";
import { png } from "./support/png.js";
import { pair, shows, showsWhile } from "./support/see.js";
import { play } from "./support/stage.js";
import { until } from "./support/wait.js";

/** @typedef {import("./support/bot.js").Bot} Bot */

const PHOTO = png(64, 48);
const INVOICE = Buffer.from("Invoice 4711: 42.00 EUR\n".repeat(200));

play("a conversation that our caller starts, at two desks", async ({ bot, browser }) => {
  const maria = await Desk.signIn(browser, "Maria");
  const ivan = await Desk.signIn(browser, "Ivan");
  const id = await handOver(bot);
  await seesWhomItIsAbout(maria);
  await seesWhatTheBotLearns(maria, bot);
  await takesIt(maria, bot, id);
  await talks(maria, bot);
  await sendsACard(maria, bot);
  await exchangeFiles(maria, bot);
  await passOn(maria, ivan, bot);
  await writeUp(maria, bot);
  await opensAnew(ivan, bot);
});

/** @param {Bot} bot */
async function handOver(bot) {
  await bot.does("write", { text: "Where is my parcel?" });
  const id = await bot.does("hand_over", {
    user: { name: "Anna", userId: "anna-1", language: "en" },
    context: { orderId: "4711", basket: "3 things" },
    file: { name: "photo.png", content: PHOTO.toString("base64") },
  });
  assert.equal(typeof id, "string");
  return String(id);
}

// Before the offer is accepted.
/** @param {Desk} maria */
async function seesWhomItIsAbout(maria) {
  await maria.offers.getByRole("button", { name: "Anna" }).click();
  await shows(maria.state, "Offered · Orders");
  await shows(maria.line("Where is my parcel?"), "before the hand-over");
  const card = maria.line("It is on its way:").getByRole("group", { name: "Card" });
  await shows(pair(card, "Arrives"), "Tuesday");
  await shows(maria.line("I am looking for somebody."), "Bot");

  const photo = maria.line("This is how it looks.").locator("img");
  await until("the photo", () =>
    photo.evaluate((it) => it instanceof HTMLImageElement && it.complete && it.naturalWidth === 64),
  );

  await shows(maria.customer, "Found by user id");
  await shows(pair(maria.customer, "Tier"), "Gold");
  await shows(pair(maria.customer, "orderId"), "4711");
  await shows(pair(maria.customer, "basket"), "3 things");
  assert.equal(await pair(maria.customer, "Phone").count(), 0);
}

// It still waits, and the page is not loaded anew.
/**
 * @param {Desk} maria
 * @param {Bot} bot
 */
async function seesWhatTheBotLearns(maria, bot) {
  await bot.does("change", { user: { phone: "+49 30 1234" }, context: { orderId: "4711", damaged: "yes" } });
  await shows(pair(maria.customer, "Phone"), "+49 30 1234");
  await shows(pair(maria.customer, "damaged"), "yes");
  assert.equal(await pair(maria.customer, "basket").count(), 0);
  await shows(maria.page.locator("#answer"), "Offered to you");
}

/**
 * @param {Desk} maria
 * @param {Bot} bot
 * @param {string} id
 */
async function takesIt(maria, bot, id) {
  await maria.takes("Anna");
  const queued = await bot.hears("that it waits", (it) => it["queued"]?.queueId === "100");
  assert.equal(queued.event["conversationId"], id);
  const joined = await bot.hears("the agent", (it) => it["memberChanged"]?.member.id === "maria", queued.after);
  assert.equal(joined.event["memberChanged"].change, "MEMBER_CHANGE_JOINED");
  assert.equal(joined.event["state"], "SESSION_STATE_WITH_AGENT");
}

/**
 * @param {Desk} maria
 * @param {Bot} bot
 */
async function talks(maria, bot) {
  await maria.page.getByLabel("Prepared response").selectOption("Greeting");
  const greeting = "Hello Anna, this is Maria from Orders. How can I help you?";
  assert.equal(await maria.answer.inputValue(), greeting);
  await maria.answer.press("Enter");
  await maria.line(greeting).waitFor();
  assert.equal(await maria.answer.inputValue(), "");
  const greeted = await bot.hears("the greeting", (it) => it["message"]?.text === greeting);
  assert.equal(greeted.event["message"].sender.id, "maria");
  assert.equal(greeted.event["message"].sender.type, "AUTHOR_TYPE_AGENT");

  await bot.does("reads");
  await shows(maria.line(greeting), "Read by the customer");
  await showsWhile(maria.activity, "Anna is typing …", () => bot.does("types"));
  await bot.does("write", { text: "It came <b>broken</b>." });
  await maria.line("It came <b>broken</b>.").waitFor();
  await until("that nobody types", async () => (await maria.activity.textContent()) === "");

  const before = bot.heard.length;
  await maria.answer.pressSequentially("Oh no");
  const typing = await bot.hears("that she types", (it) => it["typing"], before);
  assert.deepEqual(typing.event["typing"].participantIds, ["maria"]);
  await maria.answer.press("Enter");
  await bot.hears("what she says", (it) => it["message"]?.text === "Oh no", before);
}

/**
 * @param {Desk} maria
 * @param {Bot} bot
 */
async function sendsACard(maria, bot) {
  await maria.opens("Card");
  await maria.page.getByLabel("Adaptive card, as JSON").fill("{ this is not JSON");
  await maria.button("Send the card").click();
  await shows(maria.page.getByRole("alert"), "The card is not JSON");
  const content = {
    type: "AdaptiveCard",
    version: "1.5",
    body: [{ type: "TextBlock", text: "A new one on Friday?" }],
    actions: [{ type: "Action.Submit", id: "agreed", title: "Agreed" }],
  };
  await maria.page.getByLabel("Adaptive card, as JSON").fill(JSON.stringify(content));
  await maria.button("Send the card").click();
  const card = maria.line("A new one on Friday?");
  await card.waitFor();
  const sent = await bot.hears("the card", (it) => it["message"]?.cards?.length === 1);
  assert.deepEqual(sent.event["message"].cards[0].content, content);

  await bot.does("uses_card", { name: "agreed" });
  await shows(card, "Submitted");
  const used = await bot.hears("that it was used", (it) => it["cardAction"], sent.after);
  assert.equal(used.event["cardAction"].type, "Action.Submit");
  assert.equal(used.event["cardAction"].data.name, "agreed");
}

/**
 * @param {Desk} maria
 * @param {Bot} bot
 */
async function exchangeFiles(maria, bot) {
  const input = maria.page.getByLabel("Add a file");
  await input.setInputFiles([
    { name: "Rechnung №1.txt", mimeType: "text/plain", buffer: INVOICE },
    { name: "wrong.txt", mimeType: "text/plain", buffer: Buffer.from("not this one") },
  ]);
  const files = maria.page.getByRole("list", { name: "Files that go with it" });
  await files.getByRole("button", { name: "Leave out wrong.txt" }).click();
  await maria.says("The invoice");
  await maria.line("The invoice").getByRole("link", { name: "Rechnung №1.txt" }).waitFor();
  const sent = await bot.hears("the file", (it) => it["message"]?.text === "The invoice");
  const names = sent.event["message"].attachments.map((/** @type {any} */ it) => it.fileName);
  assert.deepEqual(names, ["Rechnung №1.txt"]);
  const opened = await bot.does("opens_file", { name: "Rechnung №1.txt" });
  assert.deepEqual(Buffer.from(String(opened), "base64"), INVOICE);

  const content = Buffer.from("I signed it.\n");
  const given = { name: "signed.txt", content: content.toString("base64"), text: "Here it is" };
  await bot.does("sends_file", given);
  const link = maria.line("Here it is").getByRole("link", { name: "signed.txt" });
  const file = await downloaded(maria.page, () => link.click());
  assert.deepEqual(file, { name: "signed.txt", content });
}

// To a queue, which another agent serves, and back to the first agent.
/**
 * @param {Desk} maria
 * @param {Desk} ivan
 * @param {Bot} bot
 */
async function passOn(maria, ivan, bot) {
  const before = bot.heard.length;
  await maria.transfersTo("Queue: Returns");
  await ivan.takes("Anna");
  await ivan.line("Where is my parcel?").waitFor();
  await shows(ivan.line("Oh no"), "Maria");
  await shows(maria.state, "With Ivan");
  const left = await bot.hears("that she left", (it) => it["memberChanged"]?.change === "MEMBER_CHANGE_LEFT", before);
  assert.equal(left.event["memberChanged"].member.id, "maria");
  await bot.hears("the transfer", (it) => it["transferred"], before);
  const queued = await bot.hears("the other queue", (it) => it["queued"]?.queueId === "200", before);
  await bot.hears("the other agent", (it) => it["memberChanged"]?.member.id === "ivan", queued.after);

  const again = bot.heard.length;
  await ivan.says("That is for Maria.");
  await ivan.transfersTo("Agent: Maria");
  await shows(maria.offers, "Offered · transferred");
  await maria.takes("Anna");
  await shows(maria.line("That is for Maria."), "Ivan");
  await bot.hears("the first agent", (it) => it["memberChanged"]?.member.id === "maria", again);
}

/**
 * @param {Desk} maria
 * @param {Bot} bot
 */
async function writeUp(maria, bot) {
  const before = bot.heard.length;
  await maria.opens("Wrap up");
  await maria.writesUp("Complaint", "A new parcel is sent.");
  await shows(maria.state, "Ended");
  await shows(maria.customer, "Complaint");
  await shows(maria.customer, "A new parcel is sent.");
  await bot.hears("the end", (it) => it["state"] === "SESSION_STATE_IDLE", before);
}

// What the customer writes to what has ended opens it anew, in the queue in which it was last. This agent leaves first and
// writes up afterwards.
/**
 * @param {Desk} ivan
 * @param {Bot} bot
 */
async function opensAnew(ivan, bot) {
  const before = bot.heard.length;
  await bot.does("write", { text: "It is broken again." });
  await bot.hears("that it waits anew", (it) => it["queued"], before);
  await ivan.takes("Anna");
  await ivan.line("It is broken again.").waitFor();
  await shows(ivan.customer, "A new parcel is sent.");
  await ivan.button("Leave").click();
  await shows(ivan.page.locator("#wrap-text"), "You have left. Write it up within");
  await shows(ivan.state, "To be written up");
  await bot.hears("that he left", (it) => it["memberChanged"]?.change === "MEMBER_CHANGE_LEFT", before);
  await ivan.writesUp("Resolved", "");
  await shows(ivan.state, "Ended");
  await bot.hears("the end", (it) => it["state"] === "SESSION_STATE_IDLE", before);
}
