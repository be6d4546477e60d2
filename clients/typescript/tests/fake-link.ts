import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack, durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError, type Transport } from "@connectrpc/connect";
import { Caller, type CallSettings, type Link } from "#library/calls.js";
import { ErrorInfoSchema, RetryInfoSchema } from "#library/gen/google/rpc/error_details_pb.js";
import { type AgentEventsRequest, type AgentEventsResponse, AgentEventsResponseSchema } from "#library/v1.js";

/** What a fake server does with one call: answers, or throws as a transport does. */
export type Answer = (request: never, signal: AbortSignal, headers: Headers) => unknown;

/** What a fake server does with one connection of a stream. */
export type Connection = (request: AgentEventsRequest, signal: AbortSignal) => AsyncIterable<AgentEventsResponse>;

/** A way to a server that does what is written down here, call by call. */
export class FakeLink implements Link {
  readonly streamsRequests = true;
  generation = 0;
  readonly calls: { method: string; request: object; authorization: string | null }[] = [];
  readonly transport: Transport;

  constructor(answers: Answer[], connections: Connection[] = []) {
    this.transport = {
      unary: async (method, signal, _timeoutMs, header, input) => {
        this.#note(method.localName, input, header);
        const answer = answers.shift() ?? fail("the script of calls is over");
        const message = (await answer(input as never, signal ?? never(), new Headers(header))) as never;
        return {
          message,
          header: new Headers(),
          trailer: new Headers(),
          stream: false,
          method,
          service: method.parent,
        };
      },
      stream: async (method, signal, _timeoutMs, header, input) => {
        for await (const request of input) {
          this.#note(method.localName, structuredClone(request), header);
          if (method.methodKind === "server_streaming") {
            break;
          }
        }
        const connection = connections.shift() ?? fail("the script of connections is over");
        const message = connection(this.calls.at(-1)?.request as AgentEventsRequest, signal ?? never()) as never;
        return { message, header: new Headers(), trailer: new Headers(), stream: true, method, service: method.parent };
      },
    };
  }

  renew(seen: number): void {
    if (seen === this.generation) {
      this.generation++;
    }
  }

  close(): void {
    // Nothing is open.
  }

  #note(method: string, request: object, header: HeadersInit | undefined): void {
    this.calls.push({ method, request, authorization: new Headers(header).get("authorization") });
  }
}

/** A caller that waits for next to nothing. */
export function callerOf(link: Link, settings: Partial<CallSettings> = {}): Caller {
  return new Caller(link, {
    tenant: "",
    token: undefined,
    timeoutMs: 5_000,
    transferTimeoutMs: 5_000,
    attempts: 4,
    retryBackoff: { firstMs: 0, maxMs: 0 },
    ...settings,
  });
}

/** A status as a transport throws it. */
export function status(code: Code, reason = "", retryAfterMs?: number): ConnectError {
  const error = new ConnectError("a sentence", code, { "grpc-status": String(code) });
  if (reason !== "") {
    error.details.push(incoming(anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { domain: "chatbridge", reason }))));
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = durationFromMs(retryAfterMs);
    error.details.push(incoming(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay }))));
  }
  return error;
}

/** A detail as it comes over the wire. */
export function incoming({ typeUrl, value }: { typeUrl: string; value: Uint8Array }): {
  type: string;
  value: Uint8Array;
} {
  return { type: typeUrl.replace(/.*\//, ""), value };
}

/** A response with the cursor `cursor`. */
export function response(
  cursor: number,
  payload: MessageInitShape<typeof AgentEventsResponseSchema>["payload"] = { case: "event", value: {} },
): AgentEventsResponse {
  return create(AgentEventsResponseSchema, { cursor: Uint8Array.of(cursor), payload });
}

/** Waits until the signal is aborted, as a connection does on which nothing comes. */
export async function silence(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) {
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve, { once: true });
    });
  }
  throw new ConnectError("aborted", 1);
}

function fail(problem: string): never {
  throw new Error(problem);
}

function never(): AbortSignal {
  return new AbortController().signal;
}
