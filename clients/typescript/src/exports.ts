/// <reference lib="esnext.disposable" preserve="true" />

// What both entries have.
export type { Backoff } from "./backoff.js";
export type { CallOptions, Token } from "./calls.js";
export type { ChatbridgeClient, ClientOptions, SubscriptionRequest } from "./client.js";
export { ChatbridgeError, Code, type FieldViolation, StreamEndedError } from "./errors.js";
export type { AgentEvents, ChangeOfConversations } from "./events/agent-events.js";
export type { StreamBreak } from "./events/breaks.js";
export type { CursorStore, EventOptions } from "./events/options.js";
export type { FileContent, FileOnDisk } from "./files.js";
export { fromBot, fromUser, toQueue, toScript } from "./messages.js";
export type { ContractCalls } from "./methods.js";
export { type AttachmentDownload, type FileToHandOver, UnsupportedError } from "./transfers.js";
export { VERSION } from "./version.js";
