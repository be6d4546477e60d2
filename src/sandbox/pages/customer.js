// The customer in the vendor's widget.

import { call, follow, once, seg, upload } from "./api.js";
import { Composer } from "./composer.js";
import { byId, el, say, show } from "./dom.js";
import { connection, guarded, trouble } from "./page.js";
import { Talk, activity } from "./talk.js";

let setup = null;
let conversation = null;

const current = () => decodeURIComponent(location.hash.slice(1));
const at = (below) => `/widget/conversations/${seg(current())}${below}`;
const act = guarded(async (action) => call("POST", at("/actions"), action));
const talk = new Talk(byId("log"), "user", (action) => act(action));

const composer = new Composer({
  // The widget says nothing without words: a file alone goes under its name.
  send: (text, files) => call("POST", at("/messages"), {
    text: text || files.map((it) => it.name).join(", "),
    attachments: files.map((it) => it.id),
  }),
  upload: (file) => upload(at("/files"), file),
  // There is no call for having stopped: what was shown passes by itself.
  typing: (on) => (on ? call("POST", at("/typing")) : null),
});

const nameOf = ({ authorType, authorId }) => {
  if (authorType === "user") return "You";
  if (authorType === "agent") return setup?.agents.find((it) => it.id === authorId)?.name ?? "Agent";
  return "Bot";
};

const refresh = once(async () => {
  try {
    setup ??= await call("GET", "/setup");
    known();
    const id = current();
    conversation = id ? await call("GET", `/conversations/${seg(id)}`) : null;
    if (id !== current()) return;
    draw();
    await tellRead();
  } catch (error) {
    conversation = null;
    talk.clear();
    draw();
    if (current()) trouble(error);
  }
});

const told = new Map();

// What others wrote has been read once it is on a page that somebody looks at; each is told once.
async function tellRead() {
  const id = current();
  const last = conversation?.transcript.findLast((it) => it.authorType !== "user")?.id;
  if (!last || conversation.channelType !== "WebChat" || document.hidden || told.get(id) === last) return;
  told.set(id, last);
  await call("POST", at("/read"));
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());

function draw() {
  show(byId("door"), !conversation);
  show(byId("talk"), Boolean(conversation));
  if (!conversation) return;
  say(byId("talk-title"), conversation.user.name ?? "A customer without a name");
  say(byId("talk-state"), state());
  talk.update(conversation, nameOf);
  activity(byId("activity"), conversation, "user", nameOf);
  const here = conversation.channelType === "WebChat";
  for (const node of byId("compose").querySelectorAll("textarea, input, button")) node.disabled = !here && node.id !== "anew";
  byId("leave").disabled = !here || conversation.state !== "active";
}

function state() {
  const { assignment, queue } = conversation;
  if (conversation.channelType !== "WebChat") return "Not the widget's: its customer writes through the REST API.";
  if (conversation.state !== "active") return "Ended. Writing again opens it anew.";
  if (conversation.agent) return `With ${nameOf({ authorType: "agent", authorId: conversation.agent })}`;
  if (assignment?.type === "queue") return `Waiting for an agent in ${queue?.name ?? assignment.id}`;
  return "With the bot";
}

function known() {
  if (byId("known").options.length > 1) return;
  setup.customers.forEach((it, n) => byId("known").append(el("option", { value: n }, it.name)));
}

byId("known").addEventListener("change", () => {
  const it = setup.customers[byId("known").value];
  if (!it) return;
  byId("name").value = it.name;
  byId("user-id").value = it.userId ?? "";
  byId("email").value = it.email ?? "";
});

byId("begin").addEventListener("submit", guarded(async () => {
  const given = { name: "name", userId: "user-id", email: "email", language: "language" };
  const user = {};
  for (const [name, id] of Object.entries(given)) {
    const value = byId(id).value.trim();
    if (value) user[name] = value;
  }
  const { conversationId } = await call("POST", "/widget/conversations", { user, text: byId("first").value });
  location.hash = seg(conversationId);
  await refresh();
  byId("say").focus();
}));

byId("leave").addEventListener("click", guarded(() => call("POST", at("/leave"))));
byId("anew").addEventListener("click", () => {
  location.hash = "";
  byId("name").focus();
});

window.addEventListener("hashchange", () => {
  composer.turnTo(current() || null);
  refresh();
});

setInterval(() => conversation && activity(byId("activity"), conversation, "user", nameOf), 1000);

composer.turnTo(current() || null);
follow({
  refresh: () => {
    setup = null;
    refresh();
  },
  conversation: (it) => it.conversationId === current() && refresh(),
}, connection);
