// Serves the page on this machine. The service must allow its origin: CHATBRIDGE_CORS_ORIGINS=http://127.0.0.1:8090.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const port = Number(process.env["CHATBRIDGE_PAGE_PORT"] ?? 8090);
const target = process.env["CHATBRIDGE_TARGET"] ?? "127.0.0.1:50051";

const bundle = new URL("../../build/examples/page.js", import.meta.url);
/** @type {Record<string, [type: string, text: string]>} */
const pages = {
  "/": ["text/html", await readFile(new URL("index.html", import.meta.url), "utf8")],
  "/page.js": ["text/javascript", await readFile(bundle, "utf8")],
  // A page of yours asks your own server for a token of the user who is logged in there.
  "/settings.json": [
    "application/json",
    JSON.stringify({
      target: /^https?:/.test(target) ? target : `http://${target}`,
      token: process.env["CHATBRIDGE_TOKEN"] ?? "",
    }),
  ],
};

const server = createServer((request, response) => {
  const [type, text] = pages[request.url ?? ""] ?? [];
  response.writeHead(type ? 200 : 404, { "content-type": `${type ?? "text/plain"}; charset=utf-8` }).end(text);
});
server.listen(port, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${String(port)}`);
});
