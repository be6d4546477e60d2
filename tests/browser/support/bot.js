// The bot beside these tests, as a process of its own: see bot.py.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { withoutOurs } from "./service.js";
import { until } from "./wait.js";

/** @typedef {Record<string, any>} Heard  An event as the contract's JSON has it. */

/** The bot that runs. */
export class Bot {
  #process;
  /** @type {Heard[]} */
  heard = [];
  /** @type {Map<number, { with?: unknown, failed?: string }>} */
  #done = new Map();
  #ready = false;
  #last = 0;

  /** @param {import("./service.js").Service} service */
  static async start(service) {
    const bot = new Bot(service.grpc);
    await until("the bot's stream", () => bot.#here().#ready);
    return bot;
  }

  /** @param {string} target */
  constructor(target) {
    const program = fileURLToPath(new URL("../bot.py", import.meta.url));
    this.#process = spawn(process.env["CHATBRIDGE_PYTHON"] ?? "python3", [program], {
      env: { ...withoutOurs(), CHATBRIDGE_TARGET: target },
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#take(line));
  }

  /** @param {string} line */
  #take(line) {
    const told = /** @type {{ ready?: true, heard?: Heard, done?: number, with?: unknown, failed?: string }} */ (
      JSON.parse(line)
    );
    if (told.heard) {
      this.heard.push(told.heard);
    } else if (told.done) {
      this.#done.set(told.done, told);
    } else {
      this.#ready = true;
    }
  }

  #here() {
    if (this.#process.exitCode !== null) {
      throw new Error(`the bot ended with ${String(this.#process.exitCode)}`);
    }
    return this;
  }

  /**
   * Has the app's customer do something; what comes of it.
   *
   * @param {string} what  A method of `App` in bot.py.
   * @param {Record<string, unknown>} [given]
   */
  async does(what, given = {}) {
    this.#last += 1;
    const id = this.#last;
    this.#process.stdin.write(`${JSON.stringify({ ...given, id, do: what })}\n`);
    const done = await until(`what comes of ${what}`, () => this.#here().#done.get(id));
    if (done.failed) {
      throw new Error(`${what}: ${done.failed}`);
    }
    return done.with;
  }

  /**
   * Waits until the bot has heard an event behind `after`, the number of events that were heard before. The event and its place.
   *
   * @param {string} what
   * @param {(event: Heard) => unknown} fits
   * @param {number} [after]
   */
  async hears(what, fits, after = 0) {
    return until(`that the bot hears ${what}`, () => {
      const place = this.#here().heard.findIndex((it, n) => n >= after && fits(it));
      return place < 0 ? null : { event: /** @type {Heard} */ (this.heard[place]), after: place + 1 };
    });
  }

  async stop() {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.stdin.end();
      await ended;
    }
  }
}
