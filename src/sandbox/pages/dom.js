// Builds elements. Text is only ever set as text: what customers, bots and agents write is never read as markup.

/** An element. `props` are attributes; functions are listeners; true and false set and leave out. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children.flat().filter((it) => it !== null && it !== undefined && it !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

const filled = new WeakMap();

/** Puts `children` in place of what is there, unless `key` says that nothing changed. Keeps the focus by `data-key`. */
export function fill(box, key, children) {
  const now = JSON.stringify(key);
  if (filled.get(box) === now) return;
  filled.set(box, now);
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  box.replaceChildren(...children().filter(Boolean));
  if (focused) [...box.querySelectorAll("[data-key]")].find((it) => it.dataset.key === focused)?.focus();
}

/** Sets text only where it changed, so that nothing is read out twice. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const show = (node, shown) => { node.hidden = !shown; };

/** The time of day of an ISO 8601 time. */
export function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  return size < 1 << 20 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / (1 << 20)).toFixed(1)} MiB`;
}
