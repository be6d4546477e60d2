import type { DescMethod, DescMethodUnary, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Caller, CallOptions } from "./calls.js";
import {
  AgentEventService,
  AttachmentService,
  ConfigurationService,
  ConversationService,
  SessionService,
  SubscriptionService,
} from "./v1.js";

/** The calls with one request and one response of a service: a method for each, with the RPC's name. */
type UnaryCalls<S extends DescService> = {
  [
    K in keyof S["method"] as S["method"][K] extends DescMethodUnary ? K : never
  ]: S["method"][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : never;
};

/** For each list of a service, an iteration over the items of all pages, such as `iterateMessages` for `listMessages`. */
type Iterations<S extends DescService> = {
  [
    K in keyof S["method"] as K extends `list${infer Items}` ? `iterate${Items}` : never
  ]: S["method"][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncGenerator<Item<MessageShape<O>>, void, undefined>
    : never;
};

/** What a page is a list of: the type of its only repeated field. */
type Item<Page> = { [K in Fields<Page>]: Page[K] extends (infer T)[] ? T : never }[Fields<Page>];
type Fields<Message> = Exclude<keyof Message, `$${string}`>;

type Calls<S extends DescService> = UnaryCalls<S> & Iterations<S>;

/** Every call of the contract with one request and one response, and the iterations over lists. */
export type ContractCalls = Calls<typeof AgentEventService> &
  Calls<typeof AttachmentService> &
  Calls<typeof ConfigurationService> &
  Calls<typeof ConversationService> &
  Calls<typeof SessionService> &
  Calls<typeof SubscriptionService>;

/** The services of the contract. */
export const services: readonly DescService[] = [
  AgentEventService,
  AttachmentService,
  ConfigurationService,
  ConversationService,
  SessionService,
  SubscriptionService,
];

/** A class whose objects have the calls of the contract. */
export const WithContractCalls = addCalls as unknown as new (caller: Caller) => ContractCalls;

// The methods come from the descriptors, which the compiler cannot follow; the types above say the same.
function addCalls(this: object, caller: Caller): void {
  for (const method of services.flatMap((service) => service.methods)) {
    if (!isUnary(method)) {
      continue;
    }
    define(this, method.localName, (request: Init, options?: CallOptions) => caller.unary(method, request, options));
    if (method.localName.startsWith("list")) {
      define(this, method.localName.replace("list", "iterate"), (request: Init, options?: CallOptions) =>
        iterate(caller, method, request, options),
      );
    }
  }
}

/** A request of a method that is only known as a descriptor. */
type Init = Record<string, unknown>;

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: false });
}

/** The items of all pages; each page is a call of its own. */
async function* iterate(
  caller: Caller,
  method: DescMethodUnary,
  first: Init,
  options?: CallOptions,
): AsyncGenerator<unknown, void, undefined> {
  const items = method.output.fields.find((field) => field.fieldKind === "list");
  const request = caller.fill(method.input, first) as unknown as Record<string, unknown>;
  for (;;) {
    const page = (await caller.unary(method, request, options)) as unknown as Record<string, unknown>;
    yield* page[items?.localName ?? ""] as Iterable<unknown>;
    if (page["nextPageToken"] === "") {
      return;
    }
    request["pageToken"] = page["nextPageToken"];
  }
}
