// Where somebody writes: text, files that go with it, typing.

import { byId, el } from "./dom.js";
import { guarded, trouble } from "./page.js";

const TYPING_MS = 4000;

/** The form `compose` with `say`, `file` and `files` in it. What it does is given: send, upload, typing. */
export class Composer {
  #files = [];
  #drafts = new Map();
  #of = null;
  #typed = 0;
  #stop;
  #acts;

  constructor(acts) {
    this.#acts = acts;
    byId("compose").addEventListener("submit", guarded(() => this.#send()));
    byId("say").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      byId("compose").requestSubmit();
    });
    byId("say").addEventListener("input", () => this.#types());
    byId("file").addEventListener("change", guarded(() => this.#add()));
  }

  /** Goes on with what was begun in the conversation `id`; what was begun in the one before is kept. */
  turnTo(id) {
    if (this.#of) this.#drafts.set(this.#of, [byId("say").value, this.#files]);
    const [text, files] = this.#drafts.get(id) ?? ["", []];
    clearTimeout(this.#stop);
    this.#of = id;
    this.#typed = 0;
    this.#files = files;
    byId("say").value = text;
    this.#list();
  }

  async #send() {
    const text = byId("say").value.trim();
    if (!text && this.#files.length === 0) return;
    const [files, of] = [this.#files, this.#of];
    clearTimeout(this.#stop);
    this.#typed = 0;
    await this.#acts.send(text, files);
    if (of !== this.#of) {
      this.#drafts.delete(of);
      return;
    }
    // What was written meanwhile stays.
    if (byId("say").value.trim() === text) byId("say").value = "";
    this.#files = this.#files.filter((it) => !files.includes(it));
    this.#list();
    byId("say").focus();
  }

  async #add() {
    const chosen = [...byId("file").files];
    byId("file").value = "";
    const of = this.#of;
    for (const one of chosen) {
      const { id } = await this.#acts.upload(one);
      // Somebody turned to another conversation meanwhile: the file belongs to the one before.
      if (of !== this.#of) return;
      this.#files.push({ id, name: one.name });
      this.#list();
    }
    byId("say").focus();
  }

  #list() {
    byId("files").replaceChildren(...this.#files.map((it) => el("li", {}, it.name, " ",
      el("button", { type: "button", "aria-label": `Leave out ${it.name}`, click: () => this.#drop(it) }, "×"))));
  }

  #drop(it) {
    this.#files = this.#files.filter((one) => one !== it);
    this.#list();
    byId("say").focus();
  }

  #types() {
    const act = (on) => Promise.resolve(this.#acts.typing(on)).catch(trouble);
    clearTimeout(this.#stop);
    if (Date.now() - this.#typed > TYPING_MS) {
      this.#typed = Date.now();
      act(true);
    }
    this.#stop = setTimeout(() => {
      this.#typed = 0;
      act(false);
    }, TYPING_MS);
  }
}
