// The README's quick start, as it is written there: from two commands and a page to a reply on the stream.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Desk } from "./support/desk.js";
import { withoutOurs } from "./support/service.js";
import { play } from "./support/stage.js";
import { until } from "./support/wait.js";

const README = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const PROGRAM = "target/debug/chatbridge";

play("the README's quick start ends with a reply on the stream", async ({ browser, service }) => {
  const steps = README.slice(README.indexOf("To be the agent yourself:"), README.indexOf("From Python 3.10"));
  const commands = [...steps.matchAll(/^ *(target\/debug\/chatbridge .*?)(?: +#.*)?$/gm)].map((it) => String(it[1]));
  assert.deepEqual(commands, [`${PROGRAM} tail`, `${PROGRAM} chat --name Ann`]);
  /** @type {Terminal[]} */
  const terminals = [];
  const open = (/** @type {number} */ nth) => {
    const opened = new Terminal(String(commands[nth]), service.grpc);
    terminals.push(opened);
    return opened;
  };
  try {
    const tail = open(0);
    const maria = await Desk.signIn(browser, "Maria");
    const chat = open(1);
    chat.writes("Where is my parcel?");
    await maria.takes("Ann");
    await maria.line("Where is my parcel?").waitFor();
    await maria.says("It comes tomorrow.");
    await chat.shows("It comes tomorrow.");
    await tail.shows("It comes tomorrow.");
    const line = tail.text.split("\n").find((it) => it.includes("It comes tomorrow."));
    assert.match(line ?? "", /with-agent +agent maria: /);
  } finally {
    terminals.forEach((it) => it.close());
  }
});

/** A terminal in which a command of the README runs. */
class Terminal {
  #process;
  text = "";

  /**
   * @param {string} command
   * @param {string} server  Where the service listens, which the README's commands find at their default.
   */
  constructor(command, server) {
    const [program, ...given] = command.split(" ");
    assert.equal(program, PROGRAM);
    this.#process = spawn(process.env["CHATBRIDGE_BIN"] ?? PROGRAM, given, {
      env: { ...withoutOurs(), CHATBRIDGE_SERVER: `http://${server}` },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#process.stdout.on("data", (/** @type {Buffer} */ data) => {
      this.text += data.toString();
    });
  }

  /** @param {string} line */
  writes(line) {
    this.#process.stdin.write(`${line}\n`);
  }

  /** @param {string} text */
  async shows(text) {
    await until(
      () => `“${text}”, where there is “${this.text}”,`,
      () => this.text.includes(text),
    );
  }

  close() {
    this.#process.kill();
  }
}
