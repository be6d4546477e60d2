// Does what the runner of scenarios asks for, with the library of either entry: it runs in Node and in a page.
import { create, type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ClientOptions, CursorStore, EventOptions } from "@chatbridge/client";
import { type ChatbridgeClient, ChatbridgeError, UnsupportedError } from "@chatbridge/client/browser";
import * as v1 from "@chatbridge/client/v1";
import { toError } from "./errors.js";
import * as pb from "./gen/driver_pb.js";
import { TakenFrom } from "./streams.js";

/** What differs between Node and a page. */
export interface Environment {
  /** Makes a client of the library's own entry. */
  connect(open: pb.OpenClient, options: ClientOptions): ChatbridgeClient;
  /** Keeps a cursor in a file. */
  cursors(path: string): CursorStore;
}

type Result = pb.Response["result"];

const SERVICES = [
  v1.AgentEventService,
  v1.AttachmentService,
  v1.ConfigurationService,
  v1.ConversationService,
  v1.SessionService,
  v1.SubscriptionService,
];
const TAKE_MS = 30_000;

/** One driver, whose clients and streams have names. */
export class Driver {
  readonly #environment: Environment;
  readonly #clients = new Map<string, { chatbridge: ChatbridgeClient; token: string }>();
  readonly #streams = new Map<string, TakenFrom>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The line of a request in, the line of its response out. */
  async answer(line: string): Promise<string> {
    const { id, command } = fromBinary(pb.RequestSchema, base64Decode(line));
    const response = create(pb.ResponseSchema, { id });
    try {
      response.result = await this.#do(command);
    } catch (thrown) {
      response.result = failed(thrown);
    }
    return base64Encode(toBinary(pb.ResponseSchema, response));
  }

  async #do(command: pb.Request["command"]): Promise<Result> {
    switch (command.case) {
      case "openClient":
        return this.#open(command.value);
      case "closeClient":
        this.#chatbridge(command.value.client).close();
        return done();
      case "setToken":
        this.#client(command.value.client).token = command.value.token;
        return done();
      case "call":
        return this.#call(command.value);
      case "upload":
        return this.#upload(command.value);
      case "download":
        return this.#download(command.value);
      case "handOver":
        return this.#handOver(command.value);
      case "openStream":
        return this.#openStream(command.value);
      case "take":
        return this.#take(command.value);
      case "change":
        await this.#stream(command.value.stream).stream.change(
          fromBinary(v1.ChangeAgentEventsRequestSchema, command.value.request),
        );
        return done();
      case "closeStream":
        await this.#stream(command.value.stream).stream.close();
        return done();
      case "commit": {
        const { client, subscription, cursor } = command.value;
        const committed = await this.#chatbridge(client).commitCursor({ subscription, cursor });
        return called(toBinary(v1.CommitCursorResponseSchema, committed));
      }
      case "iterate":
        return this.#iterate(command.value);
      default:
        throw new Error("the request has no command that this driver knows");
    }
  }

  #open(open: pb.OpenClient): Result {
    const client = { chatbridge: undefined as unknown as ChatbridgeClient, token: open.token };
    client.chatbridge = this.#environment.connect(open, {
      tenant: open.tenant,
      token: () => client.token,
      ...(open.timeout && { timeoutMs: durationMs(open.timeout) }),
      ...(open.attempts > 0 && { attempts: open.attempts }),
    });
    this.#clients.set(open.client, client);
    return done();
  }

  async #call(call: pb.Call): Promise<Result> {
    const method = methodNamed(call.method);
    const own = this.#own(call.client, method.localName);
    const options = call.timeout ? { timeoutMs: durationMs(call.timeout) } : {};
    const response = await own(fromBinary(method.input, call.request), options);
    return called(toBinary(method.output, response as never));
  }

  async #upload(upload: pb.Upload): Promise<Result> {
    const start = fromBinary(v1.UploadAttachmentStartSchema, upload.start);
    const uploaded = await this.#chatbridge(upload.client).uploadAttachment(start, upload.content);
    return called(toBinary(v1.UploadAttachmentResponseSchema, uploaded));
  }

  async #download(download: pb.Download): Promise<Result> {
    const request = fromBinary(v1.DownloadAttachmentRequestSchema, download.request);
    const file = await this.#chatbridge(download.client).downloadAttachment(request);
    const start = toBinary(v1.AttachmentSchema, file.attachment);
    const value = create(pb.DownloadedSchema, { content: await file.bytes(), start });
    return { case: "downloaded", value };
  }

  async #handOver(handOver: pb.HandOver): Promise<Result> {
    const handed = await this.#chatbridge(handOver.client).handOverConversation(
      fromBinary(v1.HandOverSchema, handOver.start),
      handOver.files.map(({ start, content }) => ({ file: fromBinary(v1.HandOverFileSchema, start), content })),
    );
    return called(toBinary(v1.HandOverConversationResponseSchema, handed));
  }

  #openStream(open: pb.OpenStream): Result {
    const chatbridge = this.#chatbridge(open.client);
    const request = fromBinary(v1.AgentEventsRequestSchema, open.request);
    const options: EventOptions = {
      resume: !open.withoutResume,
      ...(open.buffer > 0 && { buffer: open.buffer }),
      ...(open.cursorFile && { cursors: this.#environment.cursors(open.cursorFile) }),
      onBreak: ({ problem, waitMs }) => {
        console.error(`stream ${open.stream}: ${problem}; connects again in ${waitMs.toFixed()} ms`);
      },
    };
    const { subscription, ...rest } = request;
    const stream = subscription
      ? chatbridge.subscriptionEvents(subscription, rest, options)
      : chatbridge.agentEvents(request, options);
    this.#streams.set(open.stream, new TakenFrom(stream));
    return done();
  }

  async #take({ stream, count, payload, timeout, pause }: pb.Take): Promise<Result> {
    const timeoutMs = timeout ? durationMs(timeout) : TAKE_MS;
    const value = await this.#stream(stream).take(count, payload, timeoutMs, pause ? durationMs(pause) : 0);
    return { case: "taken", value };
  }

  async #iterate(iterate: pb.Iterate): Promise<Result> {
    const method = methodNamed(iterate.method);
    const list = method.output.fields.find((field) => field.fieldKind === "list");
    if (list?.listKind !== "message") {
      throw new Error(`${iterate.method} is no list`);
    }
    const own = this.#own(iterate.client, method.localName.replace("list", "iterate"));
    const items: Uint8Array[] = [];
    for await (const item of own(fromBinary(method.input, iterate.request)) as AsyncIterable<never>) {
      items.push(toBinary(list.message, item));
    }
    return { case: "pages", value: create(pb.PagesSchema, { items }) };
  }

  #client(name: string): { chatbridge: ChatbridgeClient; token: string } {
    const client = this.#clients.get(name);
    if (!client) {
      throw new Error(`there is no client ${name}`);
    }
    return client;
  }

  #chatbridge(name: string): ChatbridgeClient {
    return this.#client(name).chatbridge;
  }

  #stream(name: string): TakenFrom {
    const stream = this.#streams.get(name);
    if (!stream) {
      throw new Error(`there is no stream ${name}`);
    }
    return stream;
  }

  /** A client's own method, by name. */
  #own(client: string, method: string): (request: unknown, options?: unknown) => unknown {
    const chatbridge = this.#chatbridge(client) as unknown as Record<string, (...given: unknown[]) => unknown>;
    const own = chatbridge[method];
    if (!own) {
      throw new Error(`the library has no method ${method}`);
    }
    return (request, options) => own.call(chatbridge, request, options);
  }
}

function methodNamed(name: string): DescMethod {
  const [service, rpc] = name.split("/");
  const method = SERVICES.find(({ typeName }) => typeName === service)?.methods.find((known) => known.name === rpc);
  if (!method) {
    throw new Error(`the contract has no ${name}`);
  }
  return method;
}

function done(): Result {
  return { case: "done", value: create(pb.DoneSchema) };
}

function called(response: Uint8Array): Result {
  return { case: "call", value: create(pb.CallResultSchema, { response }) };
}

function failed(thrown: unknown): Result {
  if (thrown instanceof UnsupportedError) {
    return { case: "unsupported", value: thrown.message };
  }
  if (thrown instanceof ChatbridgeError) {
    return { case: "error", value: toError(thrown) };
  }
  return { case: "failure", value: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
}
