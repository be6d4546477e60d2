import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium } from "playwright-core";

const PROGRAM = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Debian's Chromium, headless, with a profile of its own that goes with it. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: PROGRAM, headless: true, args: FLAGS });
}

/** What is at a path: its type and its text. */
export type Pages = Record<string, { readonly type: string; readonly text: string }>;

/** Serves pages from a socket of 127.0.0.1 that listens already, an inherited descriptor. Their origin. */
export async function servePages(pages: Pages, fd: number): Promise<{ origin: string; server: Server }> {
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url ?? "/", "http://127.0.0.1").pathname];
    if (page) {
      response.writeHead(200, { "content-type": `${page.type}; charset=utf-8`, "cache-control": "no-store" });
      response.end(page.text);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd }, resolve);
  });
  return { origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, server };
}
