import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Chatbridge as BrowserChatbridge } from "#library/browser.js";
import { Chatbridge } from "#library/index.js";
import { services, WithContractCalls } from "#library/methods.js";
import { readTarget } from "#library/node/target.js";
import { ListMessagesResponseSchema, type ListMessagesRequest } from "#library/v1.js";
import { VERSION } from "#library/version.js";
import { callerOf, FakeLink } from "./fake-link.js";

test("each RPC of the contract is a method of both clients", () => {
  for (const client of [new Chatbridge("http://127.0.0.1:1"), new BrowserChatbridge("http://127.0.0.1:1")]) {
    const missing = services.flatMap(({ methods }) => methods).filter(({ localName }) => !(localName in client));
    assert.deepEqual(missing, []);
    client.close();
  }
});

test("iterates over the items of all pages", async () => {
  const pages = [
    { messages: [{ text: "a" }, { text: "b" }], nextPageToken: "next" },
    { messages: [{ text: "c" }], nextPageToken: "" },
  ];
  const link = new FakeLink(pages.map((page) => () => create(ListMessagesResponseSchema, page)));
  const texts = [];
  for await (const message of new WithContractCalls(callerOf(link)).iterateMessages({ pageSize: 2 })) {
    texts.push(message.text);
  }
  assert.deepEqual(texts, ["a", "b", "c"]);
  assert.deepEqual(
    link.calls.map(({ request }) => (request as ListMessagesRequest).pageSize),
    [2, 2],
  );
});

test("cleartext is spoken only where it was asked for", () => {
  const origins = (cleartext: boolean): string[] =>
    ["a:1", "dns:///a:1", "http://a:1", "https://a:1", "[::1]:1"].map((text) => readTarget(text, { cleartext }).origin);
  assert.deepEqual(origins(false), ["https://a:1", "https://a:1", "http://a:1", "https://a:1", "https://[::1]:1"]);
  assert.deepEqual(origins(true), ["http://a:1", "http://a:1", "http://a:1", "https://a:1", "http://[::1]:1"]);
  assert.equal(readTarget("[::1]:1", {}).host, "::1");
  assert.throws(() => readTarget("http://a:1", { tls: {} }), TypeError);
  assert.throws(() => readTarget("unix:///run/socket", {}), TypeError);
  assert.throws(() => new Chatbridge([]), TypeError);
});

test("the version is the package's", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  assert.equal(VERSION, version);
});
