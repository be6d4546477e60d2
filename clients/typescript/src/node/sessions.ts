import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type * as http2 from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GrpcTransportOptions, Http2SessionManager } from "@connectrpc/connect-node";
import { type Backoff, delayMs } from "../backoff.js";
import { Endpoint } from "./endpoint.js";
import type { ConnectionOptions } from "./options.js";
import type { Target } from "./target.js";

type SessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

/** For how long the addresses of names are believed, in ms, while all of them can be reached. */
const ADDRESSES_FRESH_MS = 30_000;

/**
 * HTTP/2 connections to all addresses of all targets, among which requests go round. A request takes an address that is connected;
 * where none is, it waits for the first that can be.
 *
 * Connect's session manager has one connection to one address, and no backoff: this one has several of them.
 */
export class Sessions implements SessionManager {
  readonly authority: string;
  readonly #targets: readonly Target[];
  readonly #options: ConnectionOptions;
  readonly #backoff: Backoff;
  readonly #owners = new WeakMap<http2.ClientHttp2Stream, Http2SessionManager>();
  #endpoints = new Map<string, Endpoint>();
  #resolving: Promise<void> | undefined;
  #resolvedAtMs = Number.NEGATIVE_INFINITY;
  #turn = 0;
  #generation = 0;
  #closed = false;

  constructor(targets: readonly Target[], options: ConnectionOptions) {
    const [first] = targets;
    if (!first) {
      throw new TypeError("a client needs a target");
    }
    this.authority = first.origin;
    this.#targets = targets;
    this.#options = options;
    this.#backoff = options.reconnectBackoff ?? { firstMs: 200, maxMs: 5_000 };
  }

  get generation(): number {
    return this.#generation;
  }

  /** Has requests from now on use new connections. What runs on the old ones may come to its end. */
  renew(seen: number): void {
    if (seen === this.#generation && !this.#closed) {
      this.#generation++;
      this.#resolvedAtMs = Number.NEGATIVE_INFINITY;
      for (const endpoint of this.#endpoints.values()) {
        endpoint.renew();
      }
    }
  }

  close(): void {
    this.#closed = true;
    for (const endpoint of this.#endpoints.values()) {
      endpoint.close();
    }
  }

  async request(
    method: string,
    path: string,
    headers: http2.OutgoingHttpHeaders,
    options: Omit<http2.ClientSessionRequestOptions, "signal">,
  ): Promise<http2.ClientHttp2Stream> {
    const endpoint = await this.#pick();
    const { manager } = endpoint;
    const stream = await manager.request(method, path, headers, options);
    this.#owners.set(stream, manager);
    return stream;
  }

  notifyResponseByteRead(stream: http2.ClientHttp2Stream): void {
    this.#owners.get(stream)?.notifyResponseByteRead(stream);
  }

  async #pick(): Promise<Endpoint> {
    await this.#resolve();
    if (this.#closed) {
      throw new ConnectError("the client is closed", Code.Canceled);
    }
    const endpoints = [...this.#endpoints.values()];
    const attempts = endpoints.filter((endpoint) => !endpoint.isConnected).map((endpoint) => endpoint.connect());
    const connected = endpoints.filter((endpoint) => endpoint.isConnected);
    if (connected.length > 0) {
      // Whoever cannot be connected at the moment is left out, and says so by itself.
      attempts.forEach((attempt) => void attempt.catch(() => undefined));
      return connected[this.#turn++ % connected.length] as Endpoint;
    }
    try {
      return await Promise.any(attempts);
    } catch (error) {
      const reasons = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
      const sentence = ConnectError.from(reasons[0]).rawMessage || "no connection";
      // The name may lead somewhere else by now.
      this.#resolvedAtMs = Number.NEGATIVE_INFINITY;
      throw new ConnectError(sentence, Code.Unavailable);
    }
  }

  /** Has the addresses of all names, and looks them up again where they are old. */
  async #resolve(): Promise<void> {
    if (performance.now() - this.#resolvedAtMs > ADDRESSES_FRESH_MS) {
      this.#resolving ??= this.#lookUp().finally(() => {
        this.#resolving = undefined;
      });
      if (this.#endpoints.size === 0) {
        await this.#resolving;
      } else {
        // Known addresses are used meanwhile, and kept where the names cannot be looked up.
        this.#resolving.catch(() => undefined);
      }
    }
  }

  async #lookUp(): Promise<void> {
    let found: { target: Target; address: LookupAddress }[];
    try {
      found = (
        await Promise.all(
          this.#targets.map(async (target) => {
            const addresses = await lookup(target.host, { all: true });
            return addresses.map((address) => ({ target, address }));
          }),
        )
      ).flat();
    } catch (error) {
      throw new ConnectError(error instanceof Error ? error.message : String(error), Code.Unavailable);
    }
    this.#resolvedAtMs = performance.now();
    const endpoints = new Map<string, Endpoint>();
    for (const { target, address } of found) {
      const key = `${target.origin} ${address.address}`;
      endpoints.set(
        key,
        this.#endpoints.get(key) ??
          new Endpoint(target, address, this.#options, (attempt) => delayMs(this.#backoff, attempt)),
      );
    }
    for (const [key, endpoint] of this.#endpoints) {
      if (!endpoints.has(key)) {
        endpoint.renew(); // What runs on it may come to its end.
      }
    }
    this.#endpoints = endpoints;
  }
}
