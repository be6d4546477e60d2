package io.chatbridge.client;

import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.Attachment;
import io.chatbridge.v1.DownloadAttachmentRequest;
import io.chatbridge.v1.HandOver;
import io.chatbridge.v1.HandOverConversationResponse;
import io.chatbridge.v1.UploadAttachmentResponse;
import io.chatbridge.v1.UploadAttachmentStart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Flow;

/**
 * A client of Chatbridge, safe for use by any number of threads. Make one with {@link #builder},
 * and close it once.
 *
 * <p>Each RPC of the contract is a method. Each raises {@link ChatbridgeException} for what the
 * server or the connection says, and is attempted again only where that is safe. A {@code
 * request_id} that is empty is filled in. Calls of a closed client raise {@link
 * IllegalStateException}.
 */
public final class Chatbridge extends ConfigurationCalls implements AutoCloseable {
  private static final Duration CLOSING_AT_MOST = Duration.ofSeconds(5);

  private final Duration transferTimeout;
  private final EventOptions eventOptions;
  private final Set<EventStream> streams;

  Chatbridge(Transport transport, Duration transferTimeout, EventOptions eventOptions) {
    this(transport, transferTimeout, eventOptions, ConcurrentHashMap.newKeySet());
  }

  private Chatbridge(
      Transport transport,
      Duration transferTimeout,
      EventOptions eventOptions,
      Set<EventStream> streams) {
    super(transport);
    this.transferTimeout = transferTimeout;
    this.eventOptions = eventOptions;
    this.streams = streams;
  }

  /**
   * Begins to make a client.
   *
   * @param servers where the service is, such as {@code chat.example:50051} or {@code
   *     dns:///chat.example:50051}; {@code http://} before it asks for cleartext, {@code https://}
   *     for TLS. Calls are balanced over all addresses of a name, and over all servers where there
   *     are several.
   */
  public static ChatbridgeBuilder builder(String... servers) {
    return new ChatbridgeBuilder(List.of(servers));
  }

  /**
   * The same client with another deadline for calls, those with files included. Closing either
   * closes both.
   */
  public Chatbridge withTimeout(Duration timeout) {
    ChatbridgeBuilder.positive("a timeout", timeout);
    Transport changed =
        new Transport(
            transport.connections(),
            transport.threads(),
            transport.token(),
            transport.tokenMayChange(),
            transport.tenant(),
            timeout,
            transport.attempts(),
            transport.backoff());
    return new Chatbridge(changed, timeout, eventOptions, streams);
  }

  /** Streams events, as the client's own options say. */
  public AgentEvents agentEvents(AgentEventsRequest request) {
    return agentEvents(request, eventOptions);
  }

  /**
   * Streams every matching event after the start, and connects again after a break. Close it when
   * it is done with.
   */
  public AgentEvents agentEvents(AgentEventsRequest request, EventOptions options) {
    EventStream stream = stream(request, options);
    AgentEvents events = new AgentEvents(stream);
    stream.start();
    return events;
  }

  /** Publishes events, as the client's own options say. */
  public Flow.Publisher<AgentEventsResponse> agentEventsPublisher(AgentEventsRequest request) {
    return agentEventsPublisher(request, eventOptions);
  }

  /**
   * Publishes events: each subscriber has a stream of its own, which connects when it subscribes
   * and goes on at its pace. Where there is a cursor store, the cursor of a response is saved once
   * the subscriber has come back from {@code onNext} and has asked for more: one that works on
   * elsewhere should ask for one response at a time.
   */
  public Flow.Publisher<AgentEventsResponse> agentEventsPublisher(
      AgentEventsRequest request, EventOptions options) {
    return new EventPublisher(() -> stream(request, options), transport.threads().executor);
  }

  /**
   * Uploads a file into a conversation, to be shown by a message that refers to it.
   *
   * @param start where and what; name and size are filled in where they are empty and the content
   *     has them
   * @throws IOException if the content cannot be read; the call has ended then
   */
  public UploadAttachmentResponse uploadAttachment(UploadAttachmentStart start, FileContent content)
      throws IOException {
    open();
    return Uploads.attachment(transport, transferTimeout, start, content);
  }

  /** Downloads a file piece by piece. Close it when it is done with. */
  public AttachmentDownload downloadAttachment(DownloadAttachmentRequest request) {
    open();
    return new AttachmentDownload(transport, transferTimeout, request);
  }

  /**
   * Downloads a file to a path, which has the whole file or, after an error, what it had before.
   *
   * @throws IOException if it cannot be written
   */
  public Attachment downloadAttachment(DownloadAttachmentRequest request, Path path)
      throws IOException {
    Path directory = path.toAbsolutePath().getParent();
    Path part = Files.createTempFile(directory, ".download", ".part");
    try (AttachmentDownload download = downloadAttachment(request)) {
      Files.copy(download, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, path, StandardCopyOption.REPLACE_EXISTING);
      return download.attachment();
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /**
   * Hands a customer over to an agent, with the transcript and files.
   *
   * @throws IOException if a file cannot be read; the call has ended then
   */
  public HandOverConversationResponse handOverConversation(HandOver start, List<AttachedFile> files)
      throws IOException {
    open();
    return Uploads.handOver(transport, transferTimeout, start, files);
  }

  /** Hands a customer over to an agent, with the transcript. */
  public HandOverConversationResponse handOverConversation(HandOver start) {
    try {
      return handOverConversation(start, List.of());
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Ends all streams and calls and closes the connections. No thread of the client's is left. */
  @Override
  public void close() {
    streams.forEach(EventStream::close);
    transport.connections().close(CLOSING_AT_MOST);
    // Some may have been opened meanwhile.
    streams.forEach(EventStream::close);
    transport.threads().close(CLOSING_AT_MOST);
  }

  private void open() {
    if (transport.connections().isClosed()) {
      throw new IllegalStateException("the client is closed");
    }
  }

  private EventStream stream(AgentEventsRequest request, EventOptions options) {
    open();
    EventStream stream = new EventStream(transport, request, options, streams::remove);
    streams.add(stream);
    return stream;
  }
}
