import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ChatbridgeClient, type ClientOptions } from "./client.js";
import type { Link } from "./calls.js";
import { USER_AGENT } from "./version.js";

export * from "./exports.js";

/**
 * A client of Chatbridge for pages, which speaks gRPC-Web. The service must have the page's origin in its `cors_origins`.
 *
 * It has what the client for Node has, except what gRPC-Web cannot do: `uploadAttachment` and `handOverConversation` throw
 * `UnsupportedError`, and there is one server.
 */
export class Chatbridge extends ChatbridgeClient {
  /** `target`: URL of the service, such as `https://chatbridge.example.com`. */
  constructor(target: string | URL, options: ClientOptions = {}) {
    super(webLink(target), options);
  }
}

function webLink(target: string | URL): Link {
  const url = new URL(target);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError("target must begin with https:// or http://");
  }
  return {
    transport: createGrpcWebTransport({
      baseUrl: url.href,
      interceptors: [
        (next) => (request) => {
          // A page cannot set its browser's `user-agent`; gRPC-Web has a header beside it.
          request.header.set("x-user-agent", USER_AGENT);
          return next(request);
        },
      ],
    }),
    streamsRequests: false,
    generation: 0,
    // An aborted fetch takes its connection with it over HTTP/1.1. A page cannot have more than that.
    renew: () => undefined,
    // Calls and streams are aborted by the client; the connections are the browser's.
    close: () => undefined,
  };
}
