import com.google.protobuf.ByteString;
import io.chatbridge.client.AgentEvents;
import io.chatbridge.client.Chatbridge;
import io.chatbridge.client.CursorStore;
import io.chatbridge.client.EventOptions;
import io.chatbridge.v1.AgentEvent;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.GapPolicy;
import io.chatbridge.v1.StartPosition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Prints every event, and goes on where it was when it is started again, however it ended. */
public final class Worker {
  private Worker() {}

  public static void main(String[] arguments) {
    String target = System.getenv().getOrDefault("CHATBRIDGE_TARGET", "127.0.0.1:50051");
    String token = System.getenv().getOrDefault("CHATBRIDGE_TOKEN", "");
    AgentEventsRequest request =
        AgentEventsRequest.newBuilder()
            .setPosition(StartPosition.START_POSITION_EARLIEST)
            .setGapPolicy(GapPolicy.GAP_POLICY_EARLIEST)
            .build();
    EventOptions options =
        EventOptions.defaults().withCursorStore(new CursorFile(Path.of(arguments[0])));
    try (Chatbridge chatbridge = Chatbridge.builder(target).plaintext().token(token).build();
        AgentEvents events = chatbridge.agentEvents(request, options)) {
      Thread worker = Thread.currentThread();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(events, worker)));
      for (AgentEventsResponse response : events) {
        if (response.hasEvent()) {
          // A line is written out at once: asking for the next response says that this one is done.
          System.out.println(line(response.getEvent()));
        }
      }
    }
    System.out.flush();
    // Java answers signals with exit codes of its own; this end was orderly.
    Runtime.getRuntime().halt(0);
  }

  private static String line(AgentEvent event) {
    // Some belong to no conversation.
    String conversation = event.getConversationId().isEmpty() ? "-" : event.getConversationId();
    String kind = event.getKind().name().replace("EVENT_KIND_", "");
    return conversation + " " + event.getSequence() + " " + kind;
  }

  /** On a signal: lets the loop come to its end, which saves the last cursor. */
  private static void stop(AgentEvents events, Thread worker) {
    events.stop();
    try {
      worker.join();
    } catch (InterruptedException interrupted) {
      worker.interrupt();
    }
  }

  /** Keeps the cursor in a file, which is replaced as a whole. */
  private record CursorFile(Path path) implements CursorStore {
    @Override
    public ByteString load() throws IOException {
      return Files.exists(path) ? ByteString.copyFrom(Files.readAllBytes(path)) : ByteString.EMPTY;
    }

    @Override
    public void save(ByteString cursor) throws IOException {
      Path next = path.resolveSibling(path.getFileName() + ".next");
      Files.write(next, cursor.toByteArray());
      Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
    }
  }
}
