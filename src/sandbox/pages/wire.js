// Every call and every webhook as it happens, and what is to go wrong.

import { call, follow, once, seg } from "./api.js";
import { byId, el, say, show } from "./dom.js";
import { faults, form } from "./faults.js";
import { connection, guarded, trouble } from "./page.js";

const SHOWN = 300;
const KEPT = 2000;

// The newest last. Webhooks have an identifier, under which their records change.
let records = [];
let number = 0;
const rows = new Map();
let chosen = null;
let due = false;

const refresh = once(async () => {
  try {
    records = [];
    number = 0;
    (await call("GET", "/deliveries")).deliveries.slice(-KEPT).forEach(take);
    await faults();
    plan();
  } catch (error) {
    trouble(error);
  }
});

function take(record) {
  const old = record.eventId ? records.findLast((it) => it.eventId === record.eventId) : undefined;
  if (old) {
    Object.assign(old, record, { number: old.number, changed: (old.changed ?? 0) + 1 });
    for (const gone of ["status", "error", "durationMs"]) if (!(gone in record)) delete old[gone];
    return;
  }
  number += 1;
  records.push({ ...record, number });
  if (records.length > KEPT) records.shift();
}

function plan() {
  if (due || byId("hold").checked) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    draw();
  });
}

const wrong = (it) => Boolean(it.fault || it.error || it.retries || it.status >= 400 || ["failed", "dropped", "withheld", "noWebhook"].includes(it.outcome));

function draw() {
  choices();
  const [direction, conversation] = [byId("direction").value, byId("conversation").value];
  const fits = (it) => (!direction || it.direction === direction) && (!conversation || it.conversationId === conversation) && (!byId("bad").checked || wrong(it));
  const all = records.filter(fits);
  const shown = all.slice(-SHOWN).reverse();
  say(byId("count"), all.length > SHOWN ? `the latest ${SHOWN} of ${all.length}` : `${all.length} shown`);
  const focused = document.activeElement?.dataset.key;
  const nodes = shown.map((it) => {
    const key = `${it.changed ?? 0}`;
    const old = rows.get(it.number);
    if (old?.key === key) return old.node;
    const node = row(it);
    rows.set(it.number, { key, node });
    return node;
  });
  const there = new Set(shown.map((it) => it.number));
  for (const one of rows.keys()) if (!there.has(one)) rows.delete(one);
  byId("records").replaceChildren(...nodes);
  if (focused) byId("records").querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function row(it) {
  const out = it.direction === "out";
  const what = out ? it.eventType : `${it.method} ${String(it.path).replace("/chat-gateway/v1", "")}`;
  const name = out
    ? el("button", { type: "button", class: "link", "data-key": `r${it.number}`, click: guarded(() => open(it)) }, what)
    // A long path is broken before a slash.
    : el("span", { class: "path" }, what.split(/(?=\/)/).flatMap((part) => [part, el("wbr")]));
  return el("tr", { class: wrong(it) ? "bad" : "" },
    el("td", { "data-name": "Time" }, time(it.at)),
    el("td", { "data-name": "What" }, el("span", { class: `way ${it.direction}` }, out ? "webhook" : "call"), " ", name),
    el("td", { "data-name": "Answer" }, answer(it)),
    el("td", { "data-name": "Retries" }, it.retries ? String(it.retries) : out ? "0" : "–"),
    el("td", { "data-name": "Took" }, it.durationMs === undefined ? "–" : `${it.durationMs.toFixed(1)} ms`),
    el("td", { "data-name": "Fault" }, it.fault ?? "–"));
}

function answer(it) {
  const words = { pending: "under way", delivered: "delivered", failed: "given up", dropped: "dropped", noWebhook: "no webhook set", withheld: "kept back" };
  const outcome = it.outcome ? words[it.outcome] : it.status === undefined ? "answer lost" : null;
  return [it.status, it.error, outcome].filter((one) => one !== undefined && one !== null).join(", ");
}

const time = (iso) => `${new Date(iso).toLocaleTimeString([], { hour12: false })}.${iso.slice(20, 23).replace(/\D/g, "").padEnd(3, "0")}`;

function choices() {
  const select = byId("conversation");
  const there = new Set([...select.options].map((it) => it.value));
  for (const id of new Set(records.map((it) => it.conversationId))) {
    if (id && !there.has(id)) select.append(el("option", { value: id }, id));
  }
}

async function open(it) {
  const shown = await call("GET", `/deliveries/${seg(it.eventId)}`);
  chosen = it;
  say(byId("detail-title"), it.eventType);
  say(byId("detail-text"), `Event ${it.eventId}, to ${it.webhookId}, ${answer(it)}.`);
  let body = shown.body;
  try {
    body = JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    // Not JSON: shown as it is.
  }
  say(byId("detail-body"), body);
  show(byId("detail"), true);
  byId("detail").scrollIntoView({ block: "nearest" });
  byId("close").focus();
}

byId("close").addEventListener("click", () => {
  show(byId("detail"), false);
  byId("records").querySelector(`[data-key="r${chosen?.number}"]`)?.focus();
});
byId("again").addEventListener("click", guarded(() => call("POST", `/deliveries/${seg(chosen.eventId)}/redeliver`)));
byId("filter").addEventListener("submit", (event) => event.preventDefault());
byId("filter").addEventListener("change", plan);

const recount = once(() => faults().catch(trouble));

form();
follow({
  refresh,
  delivery: (record) => {
    take(record);
    plan();
    // How often a fault has happened is not told by itself.
    if (record.fault || record.status >= 400) recount();
  },
  fault: recount,
}, connection);
