// A conversation as it is read: messages with their files and cards, read marks, who types.

import { bytes, clock, el, fill, say, show } from "./dom.js";
import { card } from "./card.js";

const SEEN_S = 6;
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Shows the transcript in `box`. `mine` is the author whose page it is; `use` is called with what the reader does. */
export class Talk {
  #box;
  #mine;
  #use;
  #lines = new Map();
  #id = null;
  #atEnd = true;

  constructor(box, mine, use) {
    this.#box = box;
    this.#mine = mine;
    this.#use = use;
    // Whoever reads the end goes on reading the end, also when the box shrinks or a picture comes; whoever scrolled up stays.
    box.addEventListener("scroll", () => { this.#atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80; });
    box.addEventListener("load", () => this.#follow(), { capture: true });
    new ResizeObserver(() => this.#follow()).observe(box);
  }

  #follow() {
    if (this.#atEnd) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** Shows `conversation` as it is now; `name` says what authors are called. */
  update(conversation, name) {
    const fresh = this.#id !== conversation.conversationId;
    if (fresh) this.clear();
    this.#id = conversation.conversationId;
    // What was said before is not read out; what comes is.
    this.#box.setAttribute("aria-live", fresh ? "off" : "polite");
    const there = new Set();
    for (const message of conversation.transcript) {
      there.add(message.id);
      const key = JSON.stringify([message.cards, name(message)]);
      const old = this.#lines.get(message.id);
      if (old?.key === key) continue;
      const node = this.#line(message, conversation, name(message));
      if (old) old.node.replaceWith(node);
      else this.#box.append(node);
      this.#lines.set(message.id, { key, node });
    }
    for (const [id, { node }] of this.#lines) {
      if (there.has(id)) continue;
      node.remove();
      this.#lines.delete(id);
    }
    this.#marks(conversation);
    this.#follow();
  }

  /** Puts `parts`, in the language `lang`, below what a message says. */
  note(id, parts, lang) {
    const node = this.#lines.get(id)?.node.querySelector(":scope > .translation");
    if (!node) return;
    const said = parts.map((it) => it.textContent ?? it).join("");
    node.lang = lang;
    fill(node, said, () => parts);
    show(node, true);
    this.#follow();
  }

  clear() {
    this.#id = null;
    this.#atEnd = true;
    this.#lines.clear();
    this.#box.replaceChildren();
  }

  #line(message, conversation, author) {
    const files = message.attachments.map((it) => file(conversation.attachments.find((one) => one.id === it.id) ?? it));
    const cards = message.cards.map((it) => card(it, this.#use));
    const side = message.authorType === this.#mine ? "mine" : "theirs";
    return el("article", { class: `line ${side} by-${message.authorType}`, "data-history": message.history },
      el("header", {}, el("b", {}, author), " ", el("time", { datetime: message.createdAt }, clock(message.createdAt)),
        message.history ? el("span", { class: "soft" }, " before the hand-over") : null),
      message.text ? el("p", { class: "text", dir: "auto" }, message.text) : null,
      el("p", { class: "translation", dir: "auto", hidden: true }),
      files, cards, el("footer", { hidden: true }));
  }

  // Under the last message of the reader's side that the other side has read.
  #marks(conversation) {
    const others = conversation.readReceipts.filter((it) => it.authorType !== this.#mine);
    const when = (it) => Date.parse(it.readAt) || Number(it.readAt) || 0;
    const until = Math.max(0, ...others.map(when));
    const who = { user: "the customer", bot: "the bot", agent: "the agent" };
    const readers = others.filter((it) => when(it) === until).map((it) => who[it.authorType] ?? it.authorType);
    const mine = conversation.transcript.filter((it) => it.authorType === this.#mine);
    const last = mine.findLast((it) => Date.parse(it.createdAt) <= until);
    for (const [id, { node }] of this.#lines) {
      const mark = node.querySelector(":scope > footer");
      show(mark, id === last?.id);
      say(mark, `Read by ${readers.join(" and ")}`);
    }
  }
}

function file(it) {
  if (!it.url) return el("p", { class: "file" }, it.filename);
  // The address names the sandbox as it was started; the page may have been reached by another name of this machine.
  const url = new URL(it.url);
  const here = url.pathname + url.search;
  const link = el("a", { href: here, download: it.filename }, it.filename);
  const picture = PICTURES.includes(it.type) && it.sizeInBytes < 4 << 20;
  return el("figure", { class: "file" }, picture ? el("img", { src: here, alt: "", loading: "lazy" }) : null,
    el("figcaption", {}, link, " ", el("span", { class: "soft" }, bytes(it.sizeInBytes))));
}

/** Says who types or thinks, seen by `mine`. */
export function activity(node, conversation, mine, name) {
  const lately = (at, seconds) => Date.now() - Date.parse(at) < seconds * 1000;
  const said = (who) => conversation.transcript.findLast((it) => it.authorType === who)?.createdAt ?? "";
  const { typing, thinking } = conversation;
  const types = [];
  if (typing && typing.authorType !== mine && lately(typing.at, SEEN_S) && typing.at > said(typing.authorType)) {
    types.push(`${name(typing)} is typing …`);
  }
  if (mine === "user" && conversation.agentTyping && conversation.agent) {
    types.push(`${name({ authorType: "agent", authorId: conversation.agent })} is typing …`);
  }
  if (thinking && lately(thinking.at, thinking.maxThinkingTimeSeconds)) types.push("The bot is thinking …");
  say(node, types.join(" "));
}
