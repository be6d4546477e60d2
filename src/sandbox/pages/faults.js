// What is to go wrong: set, listed, ended.

import { call } from "./api.js";
import { byId, el, fill, say, show } from "./dom.js";
import { guarded } from "./page.js";

const MS = { ms: "Milliseconds" };
const CALLS = { method: "Only this method", path: "Only paths with", conversationId: "Only this conversation" };
const HOOKS = { eventType: "Only this event type", conversationId: "Only this conversation" };
const TIMES = { times: "How often (empty: until ended)" };

const KINDS = {
  latency: ["Slow calls", "Calls are kept waiting.", { ...MS, ...TIMES, ...CALLS }],
  status: ["Refused calls", "Calls are not done, and answered with a status such as 429 or 503.",
    { status: "Status", retryAfterSeconds: "Retry-After, seconds", ...TIMES, ...CALLS }],
  lostAnswer: ["Lost answers", "Calls are done, and the connection ends without an answer.", { ...TIMES, ...CALLS }],
  duplicate: ["Webhooks twice", "Once a webhook is taken, the same request is sent again.", { copies: "Copies", ...TIMES, ...HOOKS }],
  delay: ["Late webhooks", "Webhooks are sent later; those behind them in their conversation wait.", { ...MS, ...TIMES, ...HOOKS }],
  reorder: ["Webhooks out of order", "A webhook lets the next one of its conversation go first.",
    { ms: "Waits at most, milliseconds", ...TIMES, ...HOOKS }],
  forge: ["Forged webhooks", "A forgery goes before each webhook.", { forgery: "Forgery", ...TIMES, ...HOOKS }],
  drop: ["Dropped webhooks", "Webhooks are never sent.", { ...TIMES, ...HOOKS }],
  rotateKey: ["A new signing key", "At once: webhooks are signed with a new key.", { keepOld: "Old public keys" }],
  neverAccepts: ["An agent who never accepts", "The agent's script lets every offer pass.", { agent: "Agent" }],
};

const USUAL = { ms: "1000", status: "429", retryAfterSeconds: "2", times: "1", copies: "1", eventType: "", path: "" };
const NUMBERS = ["ms", "status", "retryAfterSeconds", "times", "copies"];
const EVENTS = ["CONVERSATION_UPDATE", "MESSAGE", "MEMBERS_CHANGED", "QUEUED", "TRANSFER", "ACTIVITY", "WEB_HOOK_VERIFY"];

const CHOICES = {
  forgery: { body: "another body", key: "another key", kid: "an unknown key", stale: "an hour old", tenant: "another tenant's" },
  keepOld: { true: "can still be had", false: "are gone" },
  eventType: { "": "any", ...Object.fromEntries(EVENTS.map((it) => [it, it])) },
  method: { "": "any", GET: "GET", POST: "POST", PUT: "PUT", PATCH: "PATCH", DELETE: "DELETE" },
};

/** Makes the form in which a fault is set. */
export function form() {
  byId("kind").append(...Object.entries(KINDS).map(([kind, [title]]) => el("option", { value: kind }, title)));
  byId("kind").addEventListener("change", guarded(fields));
  byId("fault").addEventListener("submit", guarded(async () => {
    const plan = { kind: byId("kind").value };
    for (const input of byId("fields").querySelectorAll("input, select")) {
      const { name, value } = input;
      if (value.trim() !== "") plan[name] = NUMBERS.includes(name) ? Number(value) : name === "keepOld" ? value === "true" : value.trim();
    }
    await call("POST", "/faults", plan);
  }));
  byId("end-all").addEventListener("click", guarded(async () => {
    await call("DELETE", "/faults");
    await faults();
    byId("kind").focus();
  }));
  fields();
}

async function fields() {
  const kind = byId("kind").value;
  const [, text, names] = KINDS[kind];
  say(byId("kind-text"), text);
  const agents = kind === "neverAccepts" ? (await call("GET", "/agents")).agents : [];
  const choices = { ...CHOICES, agent: Object.fromEntries(agents.map((it) => [it.id, it.name])) };
  byId("fields").replaceChildren(...Object.entries(names).map(([name, title]) => el("label", {}, title, " ", input(name, choices[name]))));
}

function input(name, choices) {
  if (choices) {
    return el("select", { name }, Object.entries(choices).map(([value, title]) => el("option", { value }, title)));
  }
  const number = NUMBERS.includes(name);
  return el("input", { name, value: USUAL[name] ?? "", type: number ? "number" : "text", min: number ? 1 : null, autocomplete: "off" });
}

/** Shows the faults that are set. */
export async function faults() {
  const all = (await call("GET", "/faults")).faults;
  show(byId("end-all"), all.length > 1);
  fill(byId("faults"), all, () => (all.length === 0 ? [el("li", { class: "soft" }, "None: everything works.")] : all.map(item)));
}

function item(it) {
  const { id, kind, hits, ...rest } = it;
  const title = KINDS[kind]?.[0] ?? kind;
  const happened = ["has not happened yet", "happened once"][hits] ?? `happened ${hits} times`;
  const over = it.times && hits >= it.times ? ", and is over" : "";
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value}`).join(", ");
  return el("li", { class: "entry" }, el("b", {}, title), el("span", { class: "soft" }, `${details ? `${details}; ` : ""}${happened}${over}`),
    el("button", { type: "button", "data-key": `end-${id}`, "aria-label": `End: ${title}`, click: guarded(async () => {
      await call("DELETE", `/faults/${id}`);
      await faults();
    }) }, "End"));
}
