// `chatbridge dev` in memory and on free ports: the service, and the sandbox whose pages are tested.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./wait.js";

/** A service that runs. */
export class Service {
  #process;
  #directory;

  /**
   * @param {import("node:child_process").ChildProcess} process
   * @param {string} directory
   * @param {{ grpc: string, sandbox: string }} addresses
   */
  constructor(process, directory, addresses) {
    this.#process = process;
    this.#directory = directory;
    this.grpc = addresses.grpc;
    this.origin = `http://${addresses.sandbox}`;
  }

  static async start() {
    const binary = process.env["CHATBRIDGE_BIN"];
    if (!binary) {
      throw new Error("CHATBRIDGE_BIN is not set; run: scripts/browser.sh");
    }
    const directory = await mkdtemp(join(tmpdir(), "chatbridge-pages-"));
    const readyFile = join(directory, "ready.json");
    const anyPort = ["GRPC", "WEBHOOK", "ADMIN", "SANDBOX"].map((name) => [`CHATBRIDGE_${name}_LISTEN`, "127.0.0.1:0"]);
    const child = spawn(binary, ["dev", "--pace", "0", "--ready-file", readyFile], {
      env: { ...withoutOurs(), ...Object.fromEntries(anyPort) },
      stdio: ["ignore", "ignore", "inherit"],
    });
    await until("the service", () => {
      if (child.exitCode !== null) {
        throw new Error(`${binary} ended with ${String(child.exitCode)}`);
      }
      return existsSync(readyFile);
    });
    const addresses = /** @type {{ grpc: string, sandbox: string }} */ (JSON.parse(await readFile(readyFile, "utf8")));
    return new Service(child, directory, addresses);
  }

  /**
   * Calls the sandbox's control API.
   *
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async control(method, path, body) {
    return this.#call(method, `/sandbox/v1${path}`, body);
  }

  /**
   * Calls the vendor's API as the sandbox plays it.
   *
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async rest(method, path, body) {
    return this.#call(method, `/chat-gateway/v1${path}`, body);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @returns {Promise<any>}
   */
  async #call(method, path, body) {
    const headers = { "content-type": "application/json", "x-api-key": "sandbox-key" };
    const answer = await fetch(this.origin + path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${path} was answered ${String(answer.status)}: ${text}`);
    }
    return text ? JSON.parse(text) : null;
  }

  /** Gives people time: on a busy machine they are slow. */
  async giveTime() {
    await this.control("PUT", "/setup", { offerSeconds: 600, wrapUpSeconds: 600 });
  }

  async stop() {
    if (this.#process.exitCode === null && this.#process.kill()) {
      await once(this.#process, "exit");
    }
    await rm(this.#directory, { recursive: true });
  }
}

/** The environment without what the developer's own shell sets for Chatbridge. */
export function withoutOurs() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CHATBRIDGE_")));
}
