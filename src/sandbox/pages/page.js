// What all pages have: whether the sandbox is reached, and what went wrong.

import { byId, say } from "./dom.js";

export function connection(open) {
  const node = byId("connection");
  node.dataset.open = String(open);
  say(node, open ? "Live" : "Not connected");
}

let timer;

/** Says what went wrong; read out at once. */
export function trouble(error) {
  const node = byId("trouble");
  say(node, error instanceof Error ? error.message : String(error));
  node.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(calm, 8000);
}

export function calm() {
  byId("trouble").hidden = true;
}

/** A listener that says what went wrong in it. */
export function guarded(work) {
  return async (event) => {
    event?.preventDefault?.();
    try {
      await work(event);
    } catch (error) {
      trouble(error);
    }
  };
}
