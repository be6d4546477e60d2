// What whoever installed the package does first: starts a conversation, and hears the agent.
import { Chatbridge, toQueue } from "@chatbridge/client";

const client = new Chatbridge(process.env["CHATBRIDGE_TARGET"], { cleartext: true });
const chat = await client.createConversation({
  channelId: "sandbox-chat",
  user: { name: "Ada" },
  assignment: toQueue("100"),
});
for await (const { payload } of client.agentEvents({
  conversationIds: [chat.conversationId],
  start: { case: "cursor", value: chat.cursor },
})) {
  if (payload.case === "event" && payload.value.body.case === "message") {
    console.log(payload.value.body.value.text);
    break;
  }
}
client.close();
