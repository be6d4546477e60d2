// The agent's desk.

import { call, follow, once, seg, upload } from "./api.js";
import { Composer } from "./composer.js";
import { byId, el, fill, say, show } from "./dom.js";
import { nameOf, state } from "./names.js";
import { connection, guarded, trouble } from "./page.js";
import { person } from "./person.js";
import { Talk, activity } from "./talk.js";
import { Translation } from "./translation.js";

const CARD = {
  type: "AdaptiveCard",
  version: "1.5",
  body: [
    { type: "TextBlock", text: "Your parcel", weight: "Bolder" },
    { type: "FactSet", facts: [{ title: "Order", value: "4711" }, { title: "Arrives", value: "Tuesday" }] },
  ],
  actions: [{ type: "Action.Submit", id: "fine", title: "That is fine" }],
};

// Each tab is an agent of its own, also after it was loaded anew.
let me = sessionStorage.getItem("agent");
let selected = null;
let setup = null;
let agents = [];
let summaries = new Map();
let conversation = null;
let prepared = null;
// How many messages of each conversation were on the page.
const seen = new Map();

const talk = new Talk(byId("log"), "agent", null);
const translation = new Translation(talk);
const mine = () => agents.find((it) => it.id === me);
const at = (below = "") => `/agents/${seg(me)}/conversations/${seg(selected)}${below}`;
const act = (action) => call("POST", at(), action);
const name = (who) => nameOf(who, setup, conversation);

const composer = new Composer({
  send: (text, attachments) => act({ action: "say", text, attachments: attachments.map((it) => it.id) }),
  upload: (file) => upload(at("/files"), file),
  typing: (on) => (holds() ? act({ action: "typing", stopped: !on }) : null),
});

const refresh = once(async () => {
  try {
    setup = await call("GET", "/setup");
    await translation.load();
    agents = (await call("GET", "/agents")).agents;
    const all = (await call("GET", "/conversations")).conversations;
    summaries = new Map(all.map((it) => [it.conversationId, it]));
    draw();
    await read();
  } catch (error) {
    trouble(error);
  }
});

const read = once(async () => {
  const id = selected;
  if (!id || !mine()?.signedIn) return;
  try {
    const shown = await call("GET", `/conversations/${seg(id)}`);
    if (id !== selected) return;
    conversation = shown;
    seen.set(id, summaries.get(id)?.messages ?? 0);
    drawTalk();
    await offerPrepared();
    await tellRead();
  } catch (error) {
    if (id === selected) select(null);
    trouble(error);
  }
});

function draw() {
  const agent = mine();
  const inside = Boolean(agent?.signedIn);
  show(byId("door"), !inside);
  show(byId("desk"), inside);
  if (!inside) return drawDoor();
  say(byId("me"), agent.name);
  say(byId("skills"), [...agent.skills, ...agent.languages, agent.capacity ? `at most ${agent.capacity}` : null].filter(Boolean).join(" · "));
  if (document.activeElement !== byId("availability")) byId("availability").value = agent.availability;
  drawLists();
  drawTalk();
}

function drawDoor() {
  const behaviours = { script: "follows the script", neverAccepts: "lets offers pass", absent: "is not there" };
  fill(byId("agents"), agents, () => agents.map((it) => el("li", {},
    el("button", { type: "button", class: "entry", "data-key": it.id, click: guarded(() => signIn(it.id)) },
      el("b", {}, it.name),
      el("span", { class: "soft" }, [...it.skills, ...it.languages].join(" · ")),
      el("span", { class: "soft" }, it.signedIn ? "a person is signed in" : behaviours[it.behaviour])))));
}

async function signIn(id) {
  await call("POST", `/agents/${seg(id)}/sign-in`, { availability: "available" });
  me = id;
  sessionStorage.setItem("agent", id);
  await refresh();
  byId("availability").focus();
}

const newest = () => [...summaries.values()].sort((a, b) => b.lastEventAt.localeCompare(a.lastEventAt));
const offered = (it) => it.offer?.agentId === me;
const holds = () => conversation?.agent === me && conversation.conversationId === selected;
const isMine = (it) => it.agentId === me || it.wrapUp?.agentId === me;

function drawLists() {
  const all = newest();
  const offers = all.filter(offered);
  const own = all.filter((it) => isMine(it) && !offered(it));
  const others = all.filter((it) => !isMine(it) && !offered(it)).slice(0, 50);
  fill(byId("offers"), [selected, offers], () => (offers.length ? offers.map(entry) : [nothing("Nothing now.")]));
  fill(byId("mine"), [selected, own], () => (own.length ? own.map(entry) : [nothing("None.")]));
  fill(byId("others"), [selected, others], () => (others.length ? others.map(entry) : [nothing("None.")]));
  document.title = `${offers.length ? `(${offers.length}) ` : ""}Agent desk · Chatbridge sandbox`;
  const queues = setup.queues.map((it) => [it.name, all.filter((one) => !one.agentId && one.assignment?.type === "queue" && one.assignment.id === it.id).length]);
  fill(byId("queues"), queues, () => queues.map(([title, waiting]) => el("li", { class: "split" }, el("span", {}, title), el("span", {}, `${waiting} waiting`))));
  tick();
}

const nothing = (text) => el("li", { class: "soft" }, text);

function entry(it) {
  const left = offered(it) || it.wrapUp?.agentId === me;
  const fresh = it.conversationId === selected || !isMine(it) ? 0 : it.messages - (seen.get(it.conversationId) ?? it.messages);
  return el("li", {}, el("button", {
    type: "button", class: "entry", "data-key": it.conversationId, "aria-current": it.conversationId === selected ? "true" : null,
    click: () => select(it.conversationId),
  },
  el("b", {}, it.user.name ?? "A customer without a name"),
  el("span", { class: "soft" }, state(it, setup, me)),
  fresh > 0 ? el("span", { class: "fresh" }, fresh === 1 ? "1 new message" : `${fresh} new messages`) : null,
  left ? el("span", { class: "left soft", "data-left": it.conversationId }) : null));
}

function secondsLeft(it) {
  const [since, seconds] = offered(it) ? [it.offer.since, setup.offerSeconds] : [it.wrapUp?.since, setup.wrapUpSeconds];
  return Math.max(0, Math.ceil((Date.parse(since) + seconds * 1000 - Date.now()) / 1000));
}

// What passes by itself: time left, and that somebody types.
function tick() {
  for (const node of document.querySelectorAll("[data-left]")) {
    const it = summaries.get(node.dataset.left);
    if (it?.offer || it?.wrapUp) say(node, `${secondsLeft(it)} s left`);
  }
  const it = summaries.get(selected);
  if (conversation) activity(byId("activity"), conversation, "agent", name);
  if (it && offered(it)) say(byId("answer-text"), `Offered to you: ${secondsLeft(it)} s left`);
  if (it?.wrapUp?.agentId === me) say(byId("wrap-text"), `You have left. Write it up within ${secondsLeft(it)} s, or it is done without a code.`);
}

// On a narrow page, the customer is folded away so that the conversation is seen.
const roomy = matchMedia("(min-width: 60rem)");
roomy.addEventListener("change", () => { byId("aside-box").open = roomy.matches; });

function select(id) {
  const other = id !== selected;
  selected = id;
  if (other) {
    conversation = null;
    prepared = null;
    composer.turnTo(id);
    close();
    talk.clear();
  }
  if (id) byId("aside-box").open = roomy.matches;
  draw();
  if (id) read().then(() => id === selected && byId("log").focus());
}

function drawTalk() {
  const there = Boolean(selected && conversation);
  byId("desk").dataset.selected = String(Boolean(selected));
  show(byId("talk"), there);
  show(byId("aside"), there);
  show(byId("empty"), !selected);
  if (!there) return;
  const summary = summaries.get(selected) ?? conversation;
  say(byId("talk-title"), conversation.user.name ?? "A customer without a name");
  say(byId("talk-state"), [state({ ...summary, agentId: conversation.agent }, setup, me), conversation.channelType].join(" · "));
  talk.update(conversation, name);
  translation.update(conversation, mine()?.languages ?? []);
  show(byId("answer"), conversation.offer?.agentId === me);
  const writesUp = conversation.wrapUp?.agentId === me && !holds();
  show(byId("work"), holds());
  show(byId("wrap-text"), writesUp);
  if (writesUp) open("wrap-form");
  else if (!holds()) close();
  const targets = [
    ...setup.queues.map((it) => [`queue ${it.id}`, `Queue: ${it.name}`]),
    ...setup.agents.filter((it) => it.id !== me).map((it) => [`agent ${it.id}`, `Agent: ${it.name}`]),
  ];
  fill(byId("target"), targets, () => targets.map(([value, title]) => el("option", { value }, title)));
  const codes = [["", "None"], ...setup.transactionCodes.map((it) => [it.id, it.name])];
  fill(byId("code"), codes, () => codes.map(([value, title]) => el("option", { value }, title)));
  fill(byId("customer"), person.key(conversation), () => person(conversation, setup, name));
  tick();
}

const told = new Map();

// What others wrote has been read once it is on a page that somebody looks at; each is told once.
async function tellRead() {
  const id = selected;
  const last = conversation.transcript.findLast((it) => it.authorType !== "agent")?.id;
  if (!holds() || !last || document.hidden || told.get(id) === last) return;
  told.set(id, last);
  await act({ action: "read" });
}

document.addEventListener("visibilitychange", () => document.hidden || !conversation || read());

async function offerPrepared() {
  if (!holds() || prepared === selected) return;
  prepared = selected;
  const all = (await call("GET", at("/prepared-responses"))).preparedResponses;
  const options = [["", "Choose …"], ...all.map((it) => [it.text, it.title])];
  byId("prepared").replaceChildren(...options.map(([value, title]) => el("option", { value }, title)));
}

const panels = ["card-form", "transfer-form", "wrap-form"];

function open(id) {
  for (const it of panels) show(byId(it), it === id);
  for (const it of document.querySelectorAll(".opens")) it.setAttribute("aria-expanded", String(it.dataset.opens === id));
}

const close = () => open(null);

for (const it of document.querySelectorAll(".opens")) {
  it.addEventListener("click", () => {
    const panel = byId(it.dataset.opens);
    open(panel.hidden ? it.dataset.opens : null);
    if (panel.hidden) return;
    const field = panel.querySelector("textarea, select");
    field.focus();
    if (field.setSelectionRange) field.setSelectionRange(0, 0);
    field.scrollTop = 0;
  });
}

for (const id of panels) {
  byId(id).addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !holds()) return;
    close();
    document.querySelector(`[data-opens="${id}"]`).focus();
  });
}

const onClick = (id, work) => byId(id).addEventListener("click", guarded(work));
const onSubmit = (id, work) => byId(id).addEventListener("submit", guarded(work));

onClick("accept", async () => {
  await act({ action: "accept" });
  await read();
  byId("say").focus();
});
onClick("decline", async () => {
  await act({ action: "decline" });
  select(null);
  byId("availability").focus();
});
onClick("leave", async () => {
  await act({ action: "leave" });
  await read();
  byId("code").focus();
});
onClick("back", () => {
  select(null);
  byId("availability").focus();
});
onClick("sign-out", async () => {
  await call("POST", `/agents/${seg(me)}/sign-out`, {});
  sessionStorage.removeItem("agent");
  me = null;
  select(null);
  await refresh();
});
byId("availability").addEventListener("change", guarded(() => call("POST", `/agents/${seg(me)}/sign-in`, { availability: byId("availability").value })));

// A prepared response goes into the answer, so that it can be changed before it is sent.
byId("prepared").addEventListener("change", () => {
  const field = byId("say");
  field.value = [field.value.trim(), byId("prepared").value].filter(Boolean).join(" ");
  byId("prepared").value = "";
  field.focus();
});

// The answer in the customer's language, where it can be changed before it is sent.
onClick("translate", async () => {
  const [field, of] = [byId("say"), selected];
  const text = field.value.trim();
  if (!text) throw new Error("There is no answer yet that could be translated.");
  const translated = await translation.answer(text);
  // What was written meanwhile stays.
  if (of !== selected || field.value.trim() !== text) return;
  field.value = translated;
  field.focus();
});

byId("card").value = JSON.stringify(CARD, null, 2);
onSubmit("card-form", async () => {
  let content;
  try {
    content = JSON.parse(byId("card").value);
  } catch (error) {
    throw new Error(`The card is not JSON: ${error.message}.`, { cause: error });
  }
  await act({ action: "say", cards: [{ contentType: "application/vnd.microsoft.card.adaptive", content }] });
  close();
  byId("say").focus();
});
onSubmit("transfer-form", async () => {
  const [kind, id] = byId("target").value.split(" ");
  await act({ action: "transfer", [`${kind}Id`]: id });
  close();
  await read();
  byId("log").focus();
});
onSubmit("wrap-form", async () => {
  const code = byId("code").value;
  await act({ action: "wrapUp", note: byId("note").value, ...(code ? { code } : {}) });
  byId("note").value = "";
  close();
  await read();
  byId("log").focus();
});

setInterval(() => setup && mine()?.signedIn && tick(), 1000);

follow({
  refresh,
  agent: (it) => {
    agents = agents.map((one) => (one.id === it.id ? it : one));
    draw();
  },
  conversation: (it) => {
    summaries.set(it.conversationId, it);
    if (!setup || !mine()?.signedIn) return;
    drawLists();
    if (it.conversationId === selected) read();
  },
}, connection);
