package io.chatbridge.client;

import io.chatbridge.v1.Assignment;
import io.chatbridge.v1.AssignmentType;
import io.chatbridge.v1.AuthorType;
import io.chatbridge.v1.MessageInput;

/** Short ways to write the messages of the contract that are needed most. */
public final class Messages {
  private Messages() {}

  /** A text that the customer wrote. */
  public static MessageInput fromUser(String text) {
    return text(AuthorType.AUTHOR_TYPE_USER, text);
  }

  /** A text that the bot wrote. */
  public static MessageInput fromBot(String text) {
    return text(AuthorType.AUTHOR_TYPE_BOT, text);
  }

  /** Routes to the queue with this identifier of the vendor's. */
  public static Assignment toQueue(String queueId) {
    return to(AssignmentType.ASSIGNMENT_TYPE_QUEUE, queueId);
  }

  /** Routes to the script with this identifier of the vendor's. */
  public static Assignment toScript(String scriptId) {
    return to(AssignmentType.ASSIGNMENT_TYPE_SCRIPT, scriptId);
  }

  private static MessageInput text(AuthorType author, String text) {
    return MessageInput.newBuilder().setAuthorType(author).setText(text).build();
  }

  private static Assignment to(AssignmentType type, String id) {
    return Assignment.newBuilder().setType(type).setId(id).build();
  }
}
