import { create } from "@bufbuild/protobuf";
import {
  type Assignment,
  AssignmentSchema,
  AssignmentType,
  AuthorType,
  type MessageInput,
  MessageInputSchema,
} from "./gen/chatbridge/v1/conversation_pb.js";

/** A text of the customer. */
export function fromUser(text: string): MessageInput {
  return create(MessageInputSchema, { authorType: AuthorType.USER, text });
}

/** A text of the bot. */
export function fromBot(text: string): MessageInput {
  return create(MessageInputSchema, { authorType: AuthorType.BOT, text });
}

/** An assignment to a queue. */
export function toQueue(id: string): Assignment {
  return create(AssignmentSchema, { type: AssignmentType.QUEUE, id });
}

/** An assignment to a script. */
export function toScript(id: string): Assignment {
  return create(AssignmentSchema, { type: AssignmentType.SCRIPT, id });
}
