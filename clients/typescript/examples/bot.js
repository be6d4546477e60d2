// A bot that hands a customer over, and stays in the conversation until the agent has ended it.
import { Chatbridge, fromBot, fromUser, toQueue } from "@chatbridge/client";
import { AuthorType, MemberChange, SessionState } from "@chatbridge/client/v1";

const client = new Chatbridge(process.env["CHATBRIDGE_TARGET"] ?? "127.0.0.1:50051", {
  cleartext: true, // As `make dev` is. Over a network leave this out.
  token: process.env["CHATBRIDGE_TOKEN"] ?? "",
});

const { conversationId, cursor } = await client.handOverConversation({
  channelId: "sandbox-chat",
  user: { name: "Ada", userId: "ada" },
  assignment: toQueue("100"),
  history: [fromUser("Where is my parcel?"), fromBot("I will ask somebody who knows.")],
});

let answered = false;
for await (const { payload } of client.agentEvents({
  conversationIds: [conversationId],
  start: { case: "cursor", value: cursor }, // From before the hand-over: nothing is missed.
})) {
  if (payload.case !== "event") {
    continue;
  }
  const { body, state } = payload.value;
  if (body.case === "memberChanged" && body.value.change === MemberChange.JOINED) {
    const { member } = body.value;
    if (member?.type === AuthorType.AGENT) {
      console.log(`agent joined: ${member.name || member.id}`);
    }
  } else if (body.case === "message" && body.value.sender?.type === AuthorType.AGENT) {
    console.log(`agent: ${body.value.text}`);
    if (!answered) {
      answered = true;
      await client.sendMessage({ conversationId, message: fromUser("Thank you, bye") });
    }
  }
  if (state === SessionState.IDLE) {
    console.log("ended");
    break;
  }
}
client.close();
