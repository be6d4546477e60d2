// Cards. Of an adaptive card the usual elements are drawn; nothing that a card names is fetched from elsewhere.

import { el } from "./dom.js";

const ADAPTIVE = "application/vnd.microsoft.card.adaptive";
const DEEPEST = 12;
const ACTIONS = new Map([["Action.Submit", "submitCard"], ["Action.Execute", "executeCard"]]);

/** Draws a card. `use` is called with what its reader does; without it, nothing can be done. */
export function card(it, use) {
  const content = it.content ?? {};
  const adaptive = it.contentType === ADAPTIVE;
  const fields = new Map();
  const parts = adaptive ? list(content.body).map((part) => element(part, 0, fields)) : loose(content);
  for (const field of fields.values()) field.disabled = !use;
  const actions = adaptive ? buttons(it, list(content.actions), use, fields) : replies(content, use);
  const state = [it.actionSubmitted ? "Submitted" : null, it.actionExecuted ? "Executed" : null].filter(Boolean);
  const raw = el("details", {}, el("summary", {}, adaptive ? "As JSON" : `${it.contentType}, as JSON`),
    el("pre", {}, JSON.stringify(content, null, 2)));
  return el("section", { class: "card", role: "group", "aria-label": "Card" }, parts, actions.length ? el("p", { class: "row" }, actions) : null,
    state.length ? el("p", { class: "soft" }, state.join(", ")) : null, raw);
}

const list = (it) => (Array.isArray(it) ? it.filter((one) => one && typeof one === "object") : []);
const text = (it) => (typeof it === "string" || typeof it === "number" ? String(it) : "");

// `fields` gets what can be filled in, by its id.
function element(it, depth, fields) {
  if (depth > DEEPEST) return null;
  const inside = (parts) => list(parts).map((part) => element(part, depth + 1, fields));
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
      if (text(it.type).startsWith("Input.") && text(it.id)) return input(it, fields);
      return el("p", { class: "soft" }, `${text(it.type) || "Something"} is not drawn here.`);
  }
}

const INPUTS = new Map([["Input.Number", "number"], ["Input.Date", "date"], ["Input.Time", "time"]]);

function input(it, fields) {
  const title = text(it.label) || text(it.title) || text(it.placeholder) || text(it.id);
  const value = text(it.value);
  let field;
  if (it.type === "Input.ChoiceSet") {
    const choices = [["", "Choose …"], ...list(it.choices).map((one) => [text(one.value), text(one.title) || text(one.value)])];
    field = el("select", {}, choices.map(([of, name]) => el("option", { value: of, selected: of === value }, name)));
  } else if (it.type === "Input.Toggle") {
    const choices = [[text(it.valueOff) || "false", "No"], [text(it.valueOn) || "true", "Yes"]];
    field = el("select", {}, choices.map(([of, name]) => el("option", { value: of, selected: of === value }, name)));
  } else if (it.type === "Input.Text" && it.isMultiline === true) {
    field = el("textarea", { rows: 3, placeholder: text(it.placeholder) || null }, value);
  } else {
    field = el("input", { type: INPUTS.get(it.type) ?? "text", value, placeholder: text(it.placeholder) || null });
  }
  fields.set(text(it.id), field);
  return el("label", {}, title, " ", field);
}

// What is left empty is not sent, as adaptive cards have it.
const filledIn = (fields) => Object.fromEntries([...fields].map(([id, field]) => [id, field.value]).filter(([, value]) => value));

function buttons(it, actions, use, fields) {
  return actions.map((action) => {
    const title = text(action.title) || text(action.type);
    const done = ACTIONS.get(action.type);
    if (action.type === "Action.OpenUrl") return el("span", { class: "soft" }, `${title}: ${text(action.url)}`);
    // The sandbox's event has a name beside the card: that of the action.
    const name = text(action.id) || title;
    return el("button", { type: "button", disabled: !use || !done, "data-key": `${it.id}-${name}`,
      click: () => use({ action: done, cardId: it.id, name, values: filledIn(fields) }) }, title);
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
