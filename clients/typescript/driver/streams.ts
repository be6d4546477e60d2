import { create, toBinary } from "@bufbuild/protobuf";
import type { AgentEvents } from "@chatbridge/client/browser";
import { type AgentEventsResponse, AgentEventsResponseSchema } from "@chatbridge/client/v1";
import { toError } from "./errors.js";
import { type Taken, TakenSchema } from "./gen/driver_pb.js";

type Next = IteratorResult<AgentEventsResponse, void>;

/** A stream, from which responses are taken as an application does that is in no hurry. */
export class TakenFrom {
  readonly stream: AgentEvents;
  /** What was asked for and did not come in the time of a `Take`: it is the first of the next one. */
  #asked: Promise<Next> | undefined;

  constructor(stream: AgentEvents) {
    this.stream = stream;
  }

  /** Takes responses until `count` of those that have this payload came; all count where it is empty. */
  async take(count: number, payload: string, timeoutMs: number, pauseMs: number): Promise<Taken> {
    const taken = create(TakenSchema);
    const deadlineMs = performance.now() + timeoutMs;
    try {
      for (let counted = 0; counted < count;) {
        this.#asked ??= this.stream.next();
        const next = await within(this.#asked, deadlineMs - performance.now());
        if (!next) {
          break;
        }
        this.#asked = undefined;
        if (next.done) {
          taken.ended = true;
          break;
        }
        taken.responses.push(toBinary(AgentEventsResponseSchema, next.value));
        if (payload === "" || next.value.payload.case === camelCase(payload)) {
          counted++;
        }
        if (pauseMs > 0 && next.value.payload.case === "event") {
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
      }
    } catch (thrown) {
      this.#asked = undefined;
      taken.ended = true;
      taken.error = toError(thrown);
    }
    taken.cursor = this.stream.cursor;
    return taken;
  }
}

async function within(asked: Promise<Next>, ms: number): Promise<Next | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, ms);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

function camelCase(field: string): string {
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
