import { ChatbridgeClient, type ClientOptions } from "./client.js";
import { openOnDisk } from "./node/disk.js";
import { grpcLink } from "./node/link.js";
import type { ConnectionOptions } from "./node/options.js";

export * from "./exports.js";
export type { ConnectionOptions, Tls } from "./node/options.js";

/** What a client in Node may be told. */
export interface NodeClientOptions extends ClientOptions, ConnectionOptions {}

/** A client of Chatbridge for Node, which speaks gRPC over HTTP/2. */
export class Chatbridge extends ChatbridgeClient {
  /**
   * `target`: where the service is, such as `https://chatbridge.example.com:50051`, or `http://127.0.0.1:50051` without TLS.
   * `host:port` and `dns:///host:port` mean TLS too, unless the options say `cleartext`. Calls are balanced over all
   * addresses of a name, and over several targets, one after the other.
   */
  constructor(target: string | readonly string[], options: NodeClientOptions = {}) {
    super(grpcLink(typeof target === "string" ? [target] : target, options), options, openOnDisk);
  }
}
