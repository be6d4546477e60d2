// A page that starts a conversation, shows what the agent writes as it comes, and goes on where it was when it is loaded again.
import { Chatbridge, fromUser, toQueue } from "@chatbridge/client/browser";
import { AuthorType, SessionState } from "@chatbridge/client/v1";

const { target, token } = await (await fetch("settings.json")).json();
const client = new Chatbridge(target, { token });

/**
 * What is kept over a reload: what is shown, and the cursor of the last response that is in it. They are stored as one, so they
 * always belong together.
 * @typedef {{ conversationId: string, cursor: number[], lines: string[] }} Kept
 */

/** @type {Kept | null} */
let kept = JSON.parse(localStorage.getItem("chat") ?? "null");
if (kept) {
  void follow(kept);
}

element("start").addEventListener("click", async () => {
  element("start").hidden = true;
  const { conversationId, cursor } = await client.createConversation({
    channelId: "sandbox-chat",
    user: { name: "Ada" },
    assignment: toQueue("100"),
  });
  kept = { conversationId, cursor: [...cursor], lines: [] };
  await follow(kept);
});

element("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (element("text"));
  const text = input.value;
  input.value = "";
  if (kept) {
    await client.sendMessage({ conversationId: kept.conversationId, message: fromUser(text) });
    kept.lines.push(`you: ${text}`);
    keepAndShow(kept);
  }
});

/** @param {Kept} chat */
async function follow(chat) {
  keepAndShow(chat);
  const request = {
    conversationIds: [chat.conversationId],
    start: { case: /** @type {const} */ ("cursor"), value: Uint8Array.from(chat.cursor) },
  };
  const onBreak = () => void (element("status").textContent = "connecting again …");
  for await (const { payload, cursor } of client.agentEvents(request, { onBreak })) {
    element("status").textContent = "";
    if (payload.case === "event") {
      const { body, state } = payload.value;
      if (body.case === "message" && body.value.sender?.type === AuthorType.AGENT) {
        chat.lines.push(`agent: ${body.value.text}`);
      }
      if (state === SessionState.IDLE) {
        element("status").textContent = "The conversation has ended.";
      }
    }
    chat.cursor = [...cursor];
    keepAndShow(chat);
  }
}

/** @param {Kept} chat */
function keepAndShow(chat) {
  localStorage.setItem("chat", JSON.stringify(chat));
  element("start").hidden = true;
  element("say").hidden = false;
  element("lines").replaceChildren(
    ...chat.lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
}

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
