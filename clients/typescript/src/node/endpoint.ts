import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { Http2SessionManager } from "@connectrpc/connect-node";
import type { ConnectionOptions, Tls } from "./options.js";
import type { Target } from "./target.js";

/** An idle connection is closed after that time, in ms. */
const IDLE_MS = 15 * 60_000;

/** A connection that is not there after that time will not come, in ms: the system itself tries for minutes. */
const CONNECT_MS = 20_000;

/** One address of a target, and the connection to it. */
export class Endpoint {
  readonly #newManager: () => Http2SessionManager;
  readonly #waitMs: (attempt: number) => number;
  /** Those before, on which something may still run. */
  readonly #retired = new Set<Http2SessionManager>();
  #manager: Http2SessionManager;
  #connecting: Promise<this> | undefined;
  #failures = 0;
  #notBeforeMs = 0;

  /** `waitMs`: how long to leave it alone after so many attempts that failed before the last one. */
  constructor(target: Target, address: LookupAddress, options: ConnectionOptions, waitMs: (attempt: number) => number) {
    const http2Options = { ...tlsOptions(options.tls), lookup: always(address) };
    this.#waitMs = waitMs;
    this.#newManager = () =>
      new Http2SessionManager(
        target.origin,
        {
          pingIntervalMs: options.keepaliveMs ?? 30_000,
          pingTimeoutMs: options.keepaliveTimeoutMs ?? 10_000,
          idleConnectionTimeoutMs: IDLE_MS,
        },
        // The types of Node leave out that these options reach `net.connect` and `tls.connect`.
        http2Options,
      );
    this.#manager = this.#newManager();
  }

  get manager(): Http2SessionManager {
    return this.#manager;
  }

  get isConnected(): boolean {
    return ["open", "idle", "verifying"].includes(this.#manager.state());
  }

  /** Connects, unless it is left alone after a failure. */
  connect(): Promise<this> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  /** Has the next request make a new connection. */
  renew(): void {
    for (const manager of this.#retired) {
      if (manager.state() !== "open") {
        manager.abort();
        this.#retired.delete(manager);
      }
    }
    if (this.#manager.state() === "open") {
      this.#retired.add(this.#manager);
    } else {
      this.#manager.abort();
    }
    this.#manager = this.#newManager();
    this.#connecting = undefined;
    this.#failures = 0;
    this.#notBeforeMs = 0;
  }

  /** Whether something runs on one of its connections. */
  get isBusy(): boolean {
    return [this.#manager, ...this.#retired].some((manager) => manager.state() === "open");
  }

  close(): void {
    for (const manager of [this.#manager, ...this.#retired]) {
      manager.abort();
    }
  }

  async #connect(): Promise<this> {
    const manager = this.#manager;
    if (performance.now() < this.#notBeforeMs) {
      throw whyNot(manager);
    }
    const patience = setTimeout(() => {
      manager.abort(new ConnectError(`no connection within ${String(CONNECT_MS / 1000)} s`, Code.Unavailable));
    }, CONNECT_MS).unref();
    const state = await manager.connect();
    clearTimeout(patience);
    if (state === "error") {
      if (manager === this.#manager) {
        this.#notBeforeMs = performance.now() + this.#waitMs(this.#failures++);
      }
      throw whyNot(manager);
    }
    this.#failures = 0;
    return this;
  }
}

function whyNot(manager: Http2SessionManager): ConnectError {
  return ConnectError.from(manager.error() ?? "no connection", Code.Unavailable);
}

function tlsOptions(tls: Tls | undefined): Record<string, unknown> {
  return {
    ...(tls?.authorities && { ca: pem(tls.authorities) }),
    ...(tls?.certificate && { cert: pem(tls.certificate) }),
    ...(tls?.key && { key: pem(tls.key) }),
  };
}

function pem(text: string | Uint8Array): string | Buffer {
  return typeof text === "string" ? text : Buffer.from(text);
}

/** The name was looked up already. */
function always({ address, family }: LookupAddress): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) {
      callback(null, [{ address, family }]);
    } else {
      callback(null, address, family);
    }
  };
}
