import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Link } from "../calls.js";
import { USER_AGENT } from "../version.js";
import type { ConnectionOptions } from "./options.js";
import { Sessions } from "./sessions.js";
import { readTarget } from "./target.js";

const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

/** gRPC over connections to all targets. */
export function grpcLink(targets: readonly string[], options: ConnectionOptions): Link {
  const sessions = new Sessions(
    targets.map((target) => readTarget(target, options)),
    options,
  );
  const transport = createGrpcTransport({
    // Sessions have their own authority each; this one only has to be the manager's.
    baseUrl: sessions.authority,
    sessionManager: sessions,
    readMaxBytes: options.responseBytesMax ?? RESPONSE_BYTES_MAX,
    interceptors: [
      (next) => (request) => {
        request.header.set("user-agent", USER_AGENT);
        return next(request);
      },
    ],
  });
  return {
    transport,
    streamsRequests: true,
    get generation() {
      return sessions.generation;
    },
    renew: (seen) => {
      sessions.renew(seen);
    },
    close: () => {
      sessions.close();
    },
  };
}
