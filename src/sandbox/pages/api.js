// The control API of the sandbox that serves this page.

const BASE = "/sandbox/v1";

/** Calls it. An error's message is the sandbox's own sentence. */
export async function call(method, path, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return read(await reach(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
}

/** Adds a file to a conversation. */
export async function upload(path, file) {
  const headers = {
    "x-sandbox-filename": encodeURIComponent(file.name),
    "content-type": file.type || "application/octet-stream",
  };
  return read(await reach(path, { method: "POST", headers, body: file }));
}

async function reach(path, request) {
  try {
    return await fetch(BASE + path, request);
  } catch {
    throw new Error("The sandbox does not answer. Is it still running?");
  }
}

async function read(answer) {
  const text = await answer.text();
  let body;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    throw new Error(`The sandbox answered ${answer.status} with something else than JSON.`);
  }
  if (!answer.ok) throw new Error(body?.error ?? `The sandbox answered ${answer.status}.`);
  return body;
}

/**
 * Follows the feed. `handlers` has a function for each kind of event, and `refresh`, called whenever all that is shown has
 * to be read anew. `status` is told whether the feed is open.
 */
export function follow(handlers, status) {
  const source = new EventSource(`${BASE}/feed`);
  source.addEventListener("hello", () => {
    status(true);
    handlers.refresh();
  });
  source.addEventListener("lost", () => handlers.refresh());
  for (const kind of ["agent", "conversation", "offer", "delivery", "fault"]) {
    if (handlers[kind]) source.addEventListener(kind, (event) => handlers[kind](JSON.parse(event.data)));
  }
  source.addEventListener("error", () => {
    status(false);
    // Where the browser gave up, for good, start anew.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(handlers, status), 2000);
  });
}

/** Runs `work` now; if it runs already, once more behind that. Never twice at a time, and done when what was asked for is. */
export function once(work) {
  let running = null;
  let next = null;
  return function run() {
    if (!running) {
      running = work().finally(() => { running = null; });
      return running;
    }
    next ??= running.then(() => {
      next = null;
      return run();
    });
    return next;
  };
}

export const seg = encodeURIComponent;
