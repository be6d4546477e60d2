// The driver of the browser entry: starts Chromium, serves pages with the library, and passes requests to the drivers in them.
//
// Each client has a page with a context of its own, as if it were another user's: Chromium makes at most six HTTP/1.1 connections
// to one address in a context, and each stream takes one.
import { readFile } from "node:fs/promises";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import type { Page } from "playwright-core";
import { servePages, startChromium } from "./chromium.js";
import { readCursor, writeCursor } from "./cursor-file.js";
import { type Request, RequestSchema, ResponseSchema } from "./gen/driver_pb.js";
import { answerLines } from "./lines.js";

/** What is left of a closed client's streams can be taken for so long. */
const CLOSED_PAGE_MS = 60_000;

const originFd = process.env["CHATBRIDGE_DRIVER_ORIGIN_FD"];
if (!originFd) {
  throw new Error("CHATBRIDGE_DRIVER_ORIGIN_FD is not set: the scenarios' runner names the socket of the page in it");
}
const script = await readFile(new URL("page.bundle.js", import.meta.url), "utf8");
const { origin } = await servePages(
  {
    "/": { type: "text/html", text: "<!doctype html><title>driver</title><script type=module src=/page.js></script>" },
    "/page.js": { type: "text/javascript", text: script },
  },
  Number(originFd),
);
const browser = await startChromium();
const pages = new Map<string, Promise<Page>>();
const clientOfStream = new Map<string, string>();

await answerLines(async (line) => {
  const { id, command } = fromBinary(RequestSchema, base64Decode(line));
  try {
    if (command.case === "openClient") {
      if (command.value.caPem.length > 0 || command.value.certificatePem.length > 0) {
        const result = { case: "unsupported", value: "a page cannot choose authorities or a certificate" } as const;
        return base64Encode(toBinary(ResponseSchema, create(ResponseSchema, { id, result })));
      }
      pages.set(command.value.client, openPage());
    }
    const client = clientOf(command);
    const page = await pages.get(client);
    if (!page) {
      throw new Error(`there is no client ${client}`);
    }
    const answer = await page.evaluate((request) => globalThis.answer(request), line);
    if (command.case === "closeClient") {
      setTimeout(() => void page.context().close(), CLOSED_PAGE_MS).unref();
    }
    return answer;
  } catch (error) {
    const result = { case: "failure", value: String(error) } as const;
    return base64Encode(toBinary(ResponseSchema, create(ResponseSchema, { id, result })));
  }
});
await browser.close();
process.exit(0);

async function openPage(): Promise<Page> {
  const context = await browser.newContext();
  await context.exposeFunction("readCursorFile", async (path: string) => {
    const cursor = await readCursor(path);
    return cursor && base64Encode(cursor);
  });
  await context.exposeFunction("writeCursorFile", (path: string, cursor: string) =>
    writeCursor(path, base64Decode(cursor)),
  );
  const page = await context.newPage();
  page.on("console", (message) => {
    console.error(message.text());
  });
  page.on("pageerror", (error) => {
    console.error(error);
  });
  await page.goto(origin);
  await page.waitForFunction(() => "answer" in globalThis);
  return page;
}

function clientOf(command: Request["command"]): string {
  if (command.case === "openStream") {
    clientOfStream.set(command.value.stream, command.value.client);
  }
  if (command.value === undefined) {
    return "";
  }
  return "client" in command.value ? command.value.client : (clientOfStream.get(command.value.stream) ?? "");
}
