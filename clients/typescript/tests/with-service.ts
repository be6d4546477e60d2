// Runs a program beside a service of its own, in memory and on free ports: `with-service.js PROGRAM [ARGUMENT...]`. The program
// finds its addresses in the environment.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const READY_MS = 30_000;

const binary = process.env["CHATBRIDGE_BIN"];
const [program, ...given] = process.argv.slice(2);
if (!binary || !program) {
  throw new Error("usage: CHATBRIDGE_BIN=... with-service.js PROGRAM [ARGUMENT...]");
}
const pagePort = String(await freePort());
const directory = await mkdtemp(join(tmpdir(), "chatbridge-"));
const readyFile = join(directory, "ready.json");
// What the developer's own shell sets for Chatbridge must not reach a test.
const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CHATBRIDGE_")));
const anyPort = {
  CHATBRIDGE_GRPC_LISTEN: "127.0.0.1:0",
  CHATBRIDGE_WEBHOOK_LISTEN: "127.0.0.1:0",
  CHATBRIDGE_ADMIN_LISTEN: "127.0.0.1:0",
  CHATBRIDGE_SANDBOX_LISTEN: "127.0.0.1:0",
};
const service = spawn(binary, ["dev", "--pace", "0", "--ready-file", readyFile], {
  env: {
    ...inherited,
    ...anyPort,
    CHATBRIDGE_CORS_ORIGINS: `http://127.0.0.1:${pagePort}`,
  },
  stdio: ["ignore", "ignore", "inherit"],
});
try {
  const { grpc, sandbox } = await ready();
  const env = {
    ...inherited,
    CHATBRIDGE_TARGET: grpc,
    CHATBRIDGE_SANDBOX: sandbox,
    CHATBRIDGE_PAGE_PORT: pagePort,
  };
  const child = spawn(program, given, { env, stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  service.kill();
  await rm(directory, { recursive: true });
}

async function ready(): Promise<{ grpc: string; sandbox: string }> {
  const deadlineMs = performance.now() + READY_MS;
  while (!existsSync(readyFile)) {
    if (service.exitCode !== null || performance.now() > deadlineMs) {
      throw new Error(`${String(binary)} did not become ready`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return JSON.parse(await readFile(readyFile, "utf8")) as { grpc: string; sandbox: string };
}

/** A port that was free a moment ago: the service has to know the page's origin before there is a page. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
