import static io.chatbridge.client.Messages.fromBot;
import static io.chatbridge.client.Messages.fromUser;
import static io.chatbridge.client.Messages.toQueue;

import io.chatbridge.client.AgentEvents;
import io.chatbridge.client.Chatbridge;
import io.chatbridge.v1.AgentEvent;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.AuthorType;
import io.chatbridge.v1.HandOver;
import io.chatbridge.v1.HandOverConversationResponse;
import io.chatbridge.v1.MemberChange;
import io.chatbridge.v1.Participant;
import io.chatbridge.v1.SendMessageRequest;
import io.chatbridge.v1.SessionState;
import io.chatbridge.v1.User;

/** Hands a customer over to an agent, thanks for the first answer, and waits for the end. */
public final class Bot {
  private Bot() {}

  public static void main(String[] arguments) {
    String target = System.getenv().getOrDefault("CHATBRIDGE_TARGET", "127.0.0.1:50051");
    String token = System.getenv().getOrDefault("CHATBRIDGE_TOKEN", "");
    try (Chatbridge chatbridge = Chatbridge.builder(target).plaintext().token(token).build()) {
      HandOverConversationResponse chat =
          chatbridge.handOverConversation(
              HandOver.newBuilder()
                  .setChannelId("sandbox-chat")
                  .setUser(User.newBuilder().setName("Ada"))
                  .setAssignment(toQueue("100"))
                  .addHistory(fromUser("My parcel has not come"))
                  .addHistory(fromBot("I am getting somebody who can help"))
                  .build());
      AgentEventsRequest request =
          AgentEventsRequest.newBuilder()
              .addConversationIds(chat.getConversationId())
              .setCursor(chat.getCursor())
              .build();
      try (AgentEvents events = chatbridge.agentEvents(request)) {
        talk(chatbridge, events);
      }
    }
  }

  private static void talk(Chatbridge chatbridge, AgentEvents events) {
    boolean answered = false;
    for (AgentEventsResponse response : events) {
      AgentEvent event = response.getEvent();
      if (isAgentJoining(event)) {
        Participant agent = event.getMemberChanged().getMember();
        // The vendor names agents only where the operator has it looked up.
        System.out.println(
            "agent joined: " + (agent.getName().isEmpty() ? agent.getId() : agent.getName()));
      }
      if (event.getMessage().getSender().getType() == AuthorType.AUTHOR_TYPE_AGENT) {
        System.out.println("agent: " + event.getMessage().getText());
        if (!answered) {
          answered = true;
          chatbridge.sendMessage(
              SendMessageRequest.newBuilder()
                  .setConversationId(event.getConversationId())
                  .setMessage(fromUser("Thank you, bye"))
                  .build());
        }
      }
      if (event.getState() == SessionState.SESSION_STATE_IDLE) {
        System.out.println("ended");
        return;
      }
    }
  }

  private static boolean isAgentJoining(AgentEvent event) {
    return event.getMemberChanged().getChange() == MemberChange.MEMBER_CHANGE_JOINED
        && event.getMemberChanged().getMember().getType() == AuthorType.AUTHOR_TYPE_AGENT;
  }
}
