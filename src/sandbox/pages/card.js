// Cards. Of an adaptive card the usual elements are drawn; nothing that a card names is fetched from elsewhere.

import { el } from "./dom.js";

const ADAPTIVE = "application/vnd.microsoft.card.adaptive";
const DEEPEST = 12;
const ACTIONS = new Map([["Action.Submit", "submitCard"], ["Action.Execute", "executeCard"]]);

/** Draws a card. `use` is called with what its reader does; without it, nothing can be done. */
export function card(it, use) {
  const content = it.content ?? {};
  const adaptive = it.contentType === ADAPTIVE;
  const parts = adaptive ? list(content.body).map((part) => element(part, 0)) : loose(content);
  const actions = adaptive ? buttons(it, list(content.actions), use) : replies(content, use);
  const state = [it.actionSubmitted ? "Submitted" : null, it.actionExecuted ? "Executed" : null].filter(Boolean);
  const raw = el("details", {}, el("summary", {}, adaptive ? "As JSON" : `${it.contentType}, as JSON`),
    el("pre", {}, JSON.stringify(content, null, 2)));
  return el("section", { class: "card", role: "group", "aria-label": "Card" }, parts, actions.length ? el("p", { class: "row" }, actions) : null,
    state.length ? el("p", { class: "soft" }, state.join(", ")) : null, raw);
}

const list = (it) => (Array.isArray(it) ? it.filter((one) => one && typeof one === "object") : []);
const text = (it) => (typeof it === "string" || typeof it === "number" ? String(it) : "");

function element(it, depth) {
  if (depth > DEEPEST) return null;
  const inside = (parts) => list(parts).map((part) => element(part, depth + 1));
  switch (it.type) {
    case "TextBlock": {
      const strong = it.weight === "Bolder" || it.weight === "bolder";
      return el("p", { class: `text ${strong ? "strong" : ""} ${it.isSubtle === true ? "soft" : ""}`, dir: "auto" }, text(it.text));
    }
    case "RichTextBlock":
      return el("p", { class: "text" }, (Array.isArray(it.inlines) ? it.inlines : []).map((one) => text(one?.text ?? one)).join(""));
    case "FactSet":
      return el("dl", {}, list(it.facts).map((one) => el("div", {}, el("dt", {}, text(one.title)), el("dd", {}, text(one.value)))));
    case "Container":
    case "Column":
      return el("div", {}, inside(it.items));
    case "ColumnSet":
      return el("div", { class: "columns" }, inside(it.columns));
    case "Image":
      return el("p", { class: "soft" }, `Picture, not fetched: ${text(it.altText) || text(it.url)}`);
    case "ActionSet":
      return null;
    default:
      if (text(it.type).startsWith("Input.")) {
        return el("p", { class: "soft" }, `Field: ${text(it.label) || text(it.placeholder) || text(it.id)} (what is filled in is not sent by the sandbox)`);
      }
      return el("p", { class: "soft" }, `${text(it.type) || "Something"} is not drawn here.`);
  }
}

function buttons(it, actions, use) {
  return actions.map((action) => {
    const title = text(action.title) || text(action.type);
    const done = ACTIONS.get(action.type);
    if (action.type === "Action.OpenUrl") return el("span", { class: "soft" }, `${title}: ${text(action.url)}`);
    // The sandbox's event has a name beside the card: that of the action.
    const name = text(action.id) || title;
    return el("button", { type: "button", disabled: !use || !done, "data-key": `${it.id}-${name}`,
      click: () => use({ action: done, cardId: it.id, name }) }, title);
  });
}

// The vendor does not say how other cards are made: whatever is called a title or a text is shown.
function loose(content) {
  return ["title", "header", "text", "body", "subtitle", "footer"]
    .map((name) => text(content[name]) || text(content[name]?.text))
    .filter(Boolean)
    .map((it) => el("p", { class: "text", dir: "auto" }, it));
}

function replies(content, use) {
  const names = ["quickReplies", "replies", "suggestions", "buttons", "options", "actions"];
  const all = names.flatMap((name) => list(content[name]));
  return all.flatMap((it) => {
    const title = text(it.title) || text(it.text) || text(it.label);
    if (!title) return [];
    const payload = text(it.payload) || text(it.value) || title;
    return el("button", { type: "button", disabled: !use, click: () => use({ action: "quickReply", title, payload }) }, title);
  });
}
