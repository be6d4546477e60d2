// The browser example in a real Chromium, against the service that `with-service.js` started.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { startChromium } from "#driver/chromium.js";

const WAIT_MS = 20_000;

const serve = fileURLToPath(new URL("../../examples/browser/serve.js", import.meta.url));
const server = spawn(process.execPath, [serve], { stdio: ["ignore", "pipe", "inherit"] });
const browser = await startChromium();
try {
  const origin = await firstLine();
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(origin);
  await page.click("#start");
  await lines(page, 1);
  const [greeting] = await lines(page, 1);
  assert.match(greeting ?? "", /^agent: .*Ada/);
  console.log("the page shows the agent's greeting as it comes");

  await page.fill("#text", "Where is my parcel?");
  await page.press("#text", "Enter");
  const before = await lines(page, 3);
  assert.ok(before.includes("you: Where is my parcel?"));
  console.log("what the customer writes is answered");

  const { conversationId } = await kept(page);
  await page.goto("about:blank");
  await agentSays(conversationId, "Are you still there?");
  await page.goto(origin);
  const after = await lines(page, 4);
  assert.deepEqual(after, [...before, "agent: Are you still there?"]);
  console.log("a page that is loaded again goes on from its cursor: nothing is missed, and nothing comes twice");
} finally {
  await browser.close();
  server.kill();
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: server.stdout })) {
    return line;
  }
  throw new Error("the page's server ended");
}

/** What the page shows, as soon as there is so much. */
async function lines(page: Page, count: number): Promise<string[]> {
  await page
    .locator("#lines li")
    .nth(count - 1)
    .waitFor();
  return page.locator("#lines li").allTextContents();
}

async function kept(page: Page): Promise<{ conversationId: string }> {
  return JSON.parse(await page.evaluate(() => localStorage.getItem("chat") ?? "")) as { conversationId: string };
}

/** Plays the agent, as docs/sandbox.md says. */
async function agentSays(conversationId: string, text: string): Promise<void> {
  const sandbox = process.env["CHATBRIDGE_SANDBOX"] ?? "";
  const said = await fetch(`http://${sandbox}/sandbox/v1/conversations/${conversationId}/agent`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ action: "say", text }),
  });
  assert.equal(said.status, 202);
}
