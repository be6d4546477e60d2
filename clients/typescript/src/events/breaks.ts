import { durationMs } from "@bufbuild/protobuf/wkt";
import { ChatbridgeError, Code } from "../errors.js";
import { type Ending, ReconnectAdvice } from "../gen/chatbridge/v1/agent_event_service_pb.js";

/** A break of a stream, as it is told to `onBreak`. */
export interface StreamBreak {
  /** Why, as a sentence. */
  readonly problem: string;
  /** The error, where there was one. */
  readonly error: ChatbridgeError | undefined;
  /** After which time the stream connects again, in ms. */
  readonly waitMs: number;
}

/** How to go on after a break. */
export interface Reconnection {
  readonly problem: string;
  readonly error?: ChatbridgeError;
  /** Wait for at least that, in ms, besides the backoff. */
  readonly atLeastMs: number;
  /** Whether the backoff's first wait is enough, however often it broke before. */
  readonly firstWait: boolean;
}

/** How often in a row a token that a function gave may be refused before it is believed. */
const REFUSALS_MAX = 3;

/** Codes that, without a reason of Chatbridge's, are the network's or a proxy's. */
const NETWORK_CODES = new Set([Code.Unknown, Code.Internal, Code.Canceled, Code.DeadlineExceeded]);

/**
 * How to go on after an error; undefined: it is for the application. `refusals`: how often in a row the token was refused, this
 * time included; undefined: the token does not change.
 */
export function afterError(error: ChatbridgeError, refusals?: number): Reconnection | undefined {
  return isBreak(error, refusals)
    ? { problem: error.message, error, atLeastMs: error.retryAfterMs ?? 0, firstWait: false }
    : undefined;
}

function isBreak(error: ChatbridgeError, refusals: number | undefined): boolean {
  switch (error.code) {
    case Code.Unavailable:
      return true;
    case Code.ResourceExhausted:
      return error.retryAfterMs !== undefined;
    case Code.Unauthenticated:
      return refusals !== undefined && refusals <= REFUSALS_MAX;
    default:
      return error.reason === "" && NETWORK_CODES.has(error.code);
  }
}

/** How to go on after an ending; undefined: not at all. */
export function afterEnding(ending: Ending): Reconnection | undefined {
  switch (ending.reconnect) {
    case ReconnectAdvice.NEVER:
      return undefined;
    case ReconnectAdvice.LATER: {
      const atLeastMs = ending.retryAfter ? durationMs(ending.retryAfter) : 0;
      return { problem: "the server ended the stream, to be opened again later", atLeastMs, firstWait: true };
    }
    default:
      return { problem: "the server ended the stream, to be opened again", atLeastMs: 0, firstWait: true };
  }
}

/** A stream that the server closed without a word. */
export function afterSilentEnd(): Reconnection {
  const error = new ChatbridgeError(Code.Unavailable, "the server closed the stream without saying why");
  return { problem: error.message, error, atLeastMs: 0, firstWait: false };
}

/** A connection on which nothing came for `limitMs`. */
export function afterSilence(limitMs: number): Reconnection {
  const error = new ChatbridgeError(Code.Unavailable, `nothing came for ${String(limitMs / 1000)} s`);
  return { problem: error.message, error, atLeastMs: 0, firstWait: false };
}
