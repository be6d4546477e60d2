// What the customer's side wrote in the agent's language, and the answer in the customer's, where a translator is configured. Nothing
// is translated on this page: the sandbox asks the translator, one text at a time.

import { call } from "./api.js";
import { byId, el, say, show } from "./dom.js";

const KEPT = 2000;

/** Shows translations in `talk`. */
export class Translation {
  #talk;
  #translator = { host: null, onThisMachine: null };
  #done = new Map();
  #waiting = [];
  #busy = null;
  #now = null;

  constructor(talk) {
    this.#talk = talk;
  }

  /** Asks whether there is a translator. */
  async load() {
    this.#translator = await call("GET", "/translator");
    const { host } = this.#translator;
    say(byId("translator"), host ? `Translation by ${host}` : "Translation is off");
  }

  /** Says how it stands with this conversation, and has translated what is not yet. `languages` are the agent's. */
  update(conversation, languages) {
    const source = conversation.user.language;
    const differs = Boolean(source) && languages.length > 0 && !languages.includes(source);
    const { host } = this.#translator;
    this.#now = differs && host ? { conversation, source, target: languages[0] } : null;
    show(byId("translation"), differs);
    show(byId("translate"), Boolean(this.#now));
    if (differs) say(byId("translation"), this.#standing(source, languages));
    this.#draw();
  }

  /** Translates what the agent wrote into the customer's language. */
  async answer(text) {
    const { source, target } = this.#now;
    return (await call("POST", "/translations", { text, source: target, target: source })).translatedText;
  }

  #standing(source, languages) {
    const { host, onThisMachine } = this.#translator;
    if (!host) {
      return `Translation is off: no translator is configured. The customer's language is ${source}, yours ${languages.join(", ")}. Everything is shown as it was written.`;
    }
    const where = onThisMachine ? host : `${host}, which is another machine`;
    return `Translation by ${where}, from ${source} into ${languages[0]}. Below what was written stands what the translator makes of it.`;
  }

  #draw() {
    this.#waiting = [];
    if (!this.#now) return;
    const { conversation, source, target } = this.#now;
    for (const message of conversation.transcript) {
      if (message.authorType === "agent" || !message.text) continue;
      const key = JSON.stringify([source, target, message.id]);
      const done = this.#done.get(key);
      if (!done && key !== this.#busy) this.#waiting.push({ key, message, source, target });
      this.#talk.note(message.id, done ? this.#line(key, done) : ["Being translated …"], done?.text ? target : "en");
    }
    this.#work();
  }

  #line(key, { text, why }) {
    if (text) return [text];
    const again = () => {
      this.#done.delete(key);
      this.#draw();
    };
    return [why, " ", el("button", { type: "button", class: "quiet", click: again }, "Try again")];
  }

  // One at a time and the latest first: that is what the agent reads. What waits is dropped by who turns elsewhere.
  async #work() {
    if (this.#busy) return;
    for (let one = this.#waiting.pop(); one; one = this.#waiting.pop()) {
      const { key, message, source, target } = one;
      this.#busy = key;
      if (this.#done.size >= KEPT) this.#done.clear();
      try {
        const { translatedText } = await call("POST", "/translations", { text: message.text, source, target });
        this.#done.set(key, { text: translatedText });
      } catch (error) {
        this.#done.set(key, { why: error.message });
      }
      const done = this.#done.get(key);
      const shown = this.#now?.source === source && this.#now.target === target
        && this.#now.conversation.transcript.some((it) => it.id === message.id);
      if (shown) this.#talk.note(message.id, this.#line(key, done), done.text ? target : "en");
    }
    this.#busy = null;
  }
}
