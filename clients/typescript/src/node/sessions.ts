import { lookup } from "node:dns/promises";
import type * as http2 from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GrpcTransportOptions, Http2SessionManager } from "@connectrpc/connect-node";
import { delayMs } from "../backoff.js";
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
  readonly #waitMs: (attempt: number) => number;
  readonly #owners = new WeakMap<http2.ClientHttp2Stream, Http2SessionManager>();
  #endpoints = new Map<string, Endpoint>();
  #former: Endpoint[] = [];
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
    const backoff = options.reconnectBackoff ?? { firstMs: 200, maxMs: 5_000 };
    this.#waitMs = (attempt) => delayMs(backoff, attempt);
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
    for (const endpoint of [...this.#endpoints.values(), ...this.#former]) {
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
    const next = connected[this.#turn++ % connected.length];
    if (next) {
      // Whoever cannot be connected at the moment is left out.
      attempts.forEach((attempt) => void attempt.catch(() => undefined));
      return next;
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
    const lookups = await Promise.allSettled(
      this.#targets.map(async (target) => {
        const addresses = await lookup(target.host, { all: true });
        return addresses.map((address) => ({ target, address }));
      }),
    );
    const found = lookups.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    if (found.length === 0) {
      const failed = lookups.find((one) => one.status === "rejected");
      throw ConnectError.from(failed?.reason ?? "no address was found", Code.Unavailable);
    }
    this.#resolvedAtMs = performance.now();
    const endpoints = new Map<string, Endpoint>();
    for (const { target, address } of found) {
      const key = `${target.origin} ${address.address}`;
      const endpoint = this.#endpoints.get(key) ?? new Endpoint(target, address, this.#options, this.#waitMs);
      endpoints.set(key, endpoint);
      this.#endpoints.delete(key);
    }
    this.#retire([...this.#endpoints.values()]);
    this.#endpoints = endpoints;
  }

  /** Addresses that a name has no longer: what runs there may come to its end. */
  #retire(former: Endpoint[]): void {
    this.#former = [...this.#former, ...former].filter((endpoint) => {
      if (!endpoint.isBusy) {
        endpoint.close();
      }
      return endpoint.isBusy;
    });
  }
}
