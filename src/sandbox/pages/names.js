// What people and states are called.

/** What the author of a message is called. */
export function nameOf({ authorType, authorId }, setup, conversation) {
  if (authorType === "user") return conversation?.user.name ?? "Customer";
  if (authorType === "agent") return agent(authorId, setup);
  return "Bot";
}

const agent = (id, setup) => setup?.agents.find((it) => it.id === id)?.name ?? id ?? "Agent";

/** How a conversation stands, in a few words, for the agent `me`. */
export function state(it, setup, me) {
  const queue = setup.queues.find((one) => one.id === (it.assignment?.type === "queue" ? it.assignment.id : it.queueId))?.name;
  if (it.offer?.agentId === me) return `Offered · ${it.offer.transferred ? "transferred" : queue ?? "queue"}`;
  if (it.wrapUp?.agentId === me) return "To be written up";
  if (it.agentId === me) return `With you · ${queue ?? ""}`;
  if (it.agentId) return `With ${agent(it.agentId, setup)}`;
  if (it.offer) return `Offered to ${agent(it.offer.agentId, setup)}`;
  if (it.state !== "active") return "Ended";
  if (it.assignment?.type === "queue") return `Waiting in ${queue ?? it.assignment.id}`;
  return "With the bot";
}
