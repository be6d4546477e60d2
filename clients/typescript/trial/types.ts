// What a compiler has to find in the package: both entries and the contract, with their types.
import { Chatbridge, ChatbridgeError, Code, type CursorStore } from "@chatbridge/client";
import { Chatbridge as BrowserChatbridge } from "@chatbridge/client/browser";
import type { AgentEventsResponse, Message } from "@chatbridge/client/v1";

export async function use(client: Chatbridge | BrowserChatbridge, cursors: CursorStore): Promise<Message[]> {
  const stream = client.agentEvents(
    { conversationIds: ["c"] },
    { cursors, onBreak: ({ waitMs }) => void waitMs.toFixed() },
  );
  for await (const response of stream satisfies AsyncIterable<AgentEventsResponse>) {
    const sequence: bigint | undefined =
      response.payload.case === "event" ? response.payload.value.sequence : undefined;
    if (sequence === 1n) break;
  }
  const messages: Message[] = [];
  try {
    for await (const message of client.iterateMessages({ conversationId: "c" }, { timeoutMs: 1_000 })) {
      messages.push(message);
    }
    const { acceptTime } = await client.sendMessage({ conversationId: "c", message: { text: "hello" } });
    const seconds: bigint = acceptTime?.seconds ?? 0n;
    void seconds;
    // @ts-expect-error: the contract has no such field.
    await client.sendMessage({ conversation: "c" });
  } catch (error) {
    if (!(error instanceof ChatbridgeError) || error.code !== Code.NotFound) throw error;
  }
  return messages;
}
