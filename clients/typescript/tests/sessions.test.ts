import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { grpcLink } from "#library/node/link.js";
import { Code } from "#library/errors.js";
import { ConfigurationService } from "#library/v1.js";
import { callerOf } from "./fake-link.js";

/** A server that knows nothing, and counts who asks. */
class Server {
  calls = 0;
  connections = 0;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #server: Http2Server = createServer()
    .on("session", (session) => {
      this.connections++;
      this.#sessions.add(session);
    })
    .on("stream", (stream) => {
      this.calls++;
      stream.respond({ "content-type": "application/grpc+proto", "grpc-status": Code.NotFound }, { endStream: true });
    });

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const session of this.#sessions) {
      session.destroy();
    }
    await once(this.#server, "close");
  }
}

test("calls go round the servers that can be reached, and over new connections when told to", async () => {
  const servers = [new Server(), new Server()];
  const link = grpcLink(await Promise.all(servers.map((server) => server.start())), {});
  const caller = callerOf(link);
  const call = (): Promise<unknown> =>
    assert.rejects(caller.unary(ConfigurationService.method.listChannels, {}), { code: Code.NotFound });
  // Connections come one after the other: calls until both servers have had one since.
  const callBoth = async (): Promise<void> => {
    const before = servers.map(({ calls }) => calls);
    for (let n = 0; n < 1_000 && servers.some(({ calls }, i) => calls === before[i]); n++) {
      await call();
    }
  };
  const connections = (): number[] => servers.map(({ connections }) => connections);

  await callBoth();
  const before = servers.map(({ calls }) => calls);
  await Promise.all([call(), call(), call(), call()]);
  assert.deepEqual(
    servers.map(({ calls }, i) => calls - (before[i] ?? 0)),
    [2, 2],
  );

  link.renew(link.generation - 1); // Somebody else saw the same dead connection, and renewed it already.
  await callBoth();
  assert.deepEqual(connections(), [1, 1]);
  link.renew(link.generation);
  await callBoth();
  assert.deepEqual(connections(), [2, 2]);

  await servers[0]?.stop();
  const alone = servers[1]?.calls ?? 0;
  await Promise.all([call(), call(), call()]);
  assert.equal(servers[1]?.calls, alone + 3);

  await servers[1].stop();
  await assert.rejects(caller.unary(ConfigurationService.method.listChannels, {}), { code: Code.Unavailable });
  caller.close();
});
