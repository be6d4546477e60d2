import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { type Ending, EndingReason } from "./gen/chatbridge/v1/agent_event_service_pb.js";

export { Code };

/** Domain of the `ErrorInfo` that Chatbridge itself writes. */
const DOMAIN = "chatbridge";

/** What is wrong with one field of a request. */
export interface FieldViolation {
  /** Path of the field in the request, such as `user.additional_properties[3].key`. */
  readonly field: string;
  /** What is wrong and what is expected. */
  readonly description: string;
}

/** What is known of an error besides its code and its sentence. */
export interface ErrorFacts {
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly fieldViolations?: readonly FieldViolation[];
  readonly retryAfterMs?: number | undefined;
  /** Whether the call may have changed something. Absent: yes. */
  readonly sideEffects?: boolean;
}

/**
 * The server or the connection failed a call or a stream. Tell errors apart by `code` and `reason`; the text is for
 * people.
 */
export class ChatbridgeError extends Error {
  override readonly name: string = "ChatbridgeError";
  /** The gRPC status code. */
  readonly code: Code;
  /** A sentence that says what happened, without code and reason. */
  readonly rawMessage: string;
  /** The stable word for it, such as `UPSTREAM_RATE_LIMITED`; empty: the error is not Chatbridge's own. */
  readonly reason: string;
  /** Further facts that the server gave, such as `http_status`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that are wrong, where the code is INVALID_ARGUMENT. */
  readonly fieldViolations: readonly FieldViolation[];
  /** How long to wait before a repeat, in ms; undefined: the server did not say. */
  readonly retryAfterMs: number | undefined;
  /** Whether it may have happened all the same: look before sending it again, or repeat it with the same `requestId`. */
  readonly outcomeUnknown: boolean;

  constructor(code: Code, rawMessage: string, facts: ErrorFacts = {}) {
    const reason = facts.reason ?? "";
    const metadata = facts.metadata ?? {};
    super(oneLine(code, reason, rawMessage, metadata["reference_id"] ?? ""));
    this.code = code;
    this.rawMessage = rawMessage;
    this.reason = reason;
    this.metadata = metadata;
    this.fieldViolations = facts.fieldViolations ?? [];
    this.retryAfterMs = facts.retryAfterMs;
    this.outcomeUnknown =
      reason === "UPSTREAM_OUTCOME_UNKNOWN" ||
      (code === Code.DeadlineExceeded && reason === "" && facts.sideEffects !== false);
  }

  /** What the vendor's support asks for; empty: the vendor gave none. */
  get referenceId(): string {
    return this.metadata["reference_id"] ?? "";
  }
}

/** The server ended a stream of events and advised not to connect again. */
export class StreamEndedError extends ChatbridgeError {
  override readonly name = "StreamEndedError";
  /** What the server sent; its reason is the error's `reason`. */
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(
      ending.reason === EndingReason.UNAUTHORIZED ? Code.PermissionDenied : Code.Aborted,
      "the server ended the stream and advised not to connect again with the same request",
      { reason: endingReasonName(ending.reason) },
    );
    this.ending = ending;
  }
}

/** The name of an ending's reason in the contract, such as `ENDING_REASON_TAKEN_OVER`. */
export function endingReasonName(reason: EndingReason): string {
  // A server that is newer than this client may send a reason that it does not know.
  const known = EndingReason[reason] as string | undefined;
  return `ENDING_REASON_${known ?? String(reason)}`;
}

/** Reads what a transport threw. `sideEffects`: whether the call could have changed something. */
export function readError(thrown: unknown, sideEffects: boolean): ChatbridgeError {
  if (thrown instanceof ChatbridgeError) {
    return thrown;
  }
  const error = ConnectError.from(thrown);
  if (isBrokenConnection(error)) {
    return new ChatbridgeError(Code.Unavailable, `the connection broke: ${error.rawMessage}`, { sideEffects });
  }
  // Details that cannot be read are left out by `findDetails`.
  const info = error.findDetails(ErrorInfoSchema).find((detail) => detail.domain === DOMAIN);
  const retryDelay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return new ChatbridgeError(error.code, error.rawMessage || "the server gave no description", {
    reason: info?.reason ?? "",
    metadata: { ...info?.metadata },
    fieldViolations: error
      .findDetails(BadRequestSchema)
      .flatMap((detail) => detail.fieldViolations)
      .map(({ field, description }) => ({ field, description })),
    retryAfterMs: retryDelay && durationMs(retryDelay),
    sideEffects,
  });
}

/**
 * Whether no status of gRPC came, because the connection or the request on it broke. Transports have several codes for that; for
 * whoever decides about a repeat they are all UNAVAILABLE without a reason.
 */
function isBrokenConnection(error: ConnectError): boolean {
  if (error.metadata.has("grpc-status")) {
    return false;
  }
  switch (error.code) {
    case Code.Canceled:
    case Code.Aborted:
      return true;
    case Code.Unknown:
    case Code.Internal:
      return error.cause !== undefined;
    default:
      return false;
  }
}

function oneLine(code: Code, reason: string, rawMessage: string, referenceId: string): string {
  const sentence = rawMessage.replace(/\s+/g, " ");
  return `${codeName(code)}${reason && ` (${reason})`}: ${sentence}${referenceId && ` [reference ${referenceId}]`}`;
}

/** The name of a code as gRPC writes it. */
export function codeName(code: Code): string {
  if (code === Code.Canceled) {
    return "CANCELLED";
  }
  const name = Code[code] as string | undefined;
  return name?.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase() ?? `CODE_${String(code)}`;
}
