package io.chatbridge.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.AgentEventServiceGrpc;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.Attachment;
import io.chatbridge.v1.AttachmentServiceGrpc;
import io.chatbridge.v1.DownloadAttachmentRequest;
import io.chatbridge.v1.DownloadAttachmentResponse;
import io.chatbridge.v1.GetConversationRequest;
import io.chatbridge.v1.UploadAttachmentRequest;
import io.chatbridge.v1.UploadAttachmentResponse;
import io.chatbridge.v1.UploadAttachmentStart;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client over real connections: files, and what is left when it is closed. */
@Timeout(30)
class ClientTest {
  private final Attachments attachments = new Attachments();
  private Server server;
  private Chatbridge chatbridge;

  @BeforeEach
  void start() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(attachments)
            .addService(new AgentEventServiceGrpc.AgentEventServiceImplBase() {})
            .build()
            .start();
    chatbridge = Chatbridge.builder("127.0.0.1:" + server.getPort()).plaintext().build();
  }

  @AfterEach
  void stop() {
    chatbridge.close();
    server.shutdownNow();
  }

  @Test
  void sendsAFileInPieces() throws IOException {
    byte[] content = new byte[600_000];
    content[599_999] = 7;
    chatbridge.uploadAttachment(
        UploadAttachmentStart.getDefaultInstance(), FileContent.of(content));
    assertArrayEquals(content, attachments.received.toByteArray());
    assertEquals(600_000, attachments.start.getSizeBytes());
    assertFalse(attachments.start.getRequestId().isEmpty());
    assertTrue(attachments.largest <= 256 * 1024);
  }

  @Test
  void raisesWhatTheSourceRaises() {
    IOException torn = new IOException("the tape is torn");
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw torn;
          }
        };
    assertSame(
        torn,
        assertThrows(
            IOException.class,
            () ->
                chatbridge.uploadAttachment(
                    UploadAttachmentStart.getDefaultInstance(), FileContent.of(broken, 5))));
  }

  @Test
  void raisesTheErrorOfAServerThatEndsEarly() {
    attachments.refusal = Status.INVALID_ARGUMENT.withDescription("too large");
    // It has no end, and only the server's answer ends it.
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 1;
          }

          @Override
          public int read(byte[] target, int offset, int length) {
            return length;
          }
        };
    ChatbridgeException error =
        assertThrows(
            ChatbridgeException.class,
            () ->
                chatbridge.uploadAttachment(
                    UploadAttachmentStart.getDefaultInstance(), FileContent.of(endless, 1)));
    assertEquals("too large", error.sentence());
  }

  @Test
  void downloadsAWholeFileOrNone(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("copy");
    DownloadAttachmentRequest request = DownloadAttachmentRequest.getDefaultInstance();
    assertEquals("a.txt", chatbridge.downloadAttachment(request, file).getFileName());
    assertEquals("onetwo", Files.readString(file));

    attachments.refusal = Status.UNAVAILABLE;
    assertThrows(ChatbridgeException.class, () -> chatbridge.downloadAttachment(request, file));
    assertEquals("onetwo", Files.readString(file));
    try (var left = Files.list(directory)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  @Test
  void leavesNoThread() throws InterruptedException {
    AgentEvents events = chatbridge.agentEvents(AgentEventsRequest.getDefaultInstance());
    assertThrows(ChatbridgeException.class, events.iterator()::hasNext);
    assertThrows(
        ChatbridgeException.class,
        () -> chatbridge.getConversation(GetConversationRequest.getDefaultInstance()));
    List<Thread> threads = ownThreads();
    assertFalse(threads.isEmpty());
    chatbridge.close();
    for (Thread thread : threads) {
      // A thread that has nothing left to do still needs a moment to end.
      thread.join(1000);
    }
    assertEquals(List.of(), ownThreads());
  }

  private static List<Thread> ownThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith(Threads.PREFIX))
        .toList();
  }

  @Test
  void connectsToOneOfSeveralServers() {
    String here = "127.0.0.1:" + server.getPort();
    try (Chatbridge both = Chatbridge.builder("http://" + here, "http://[::1]:1").build()) {
      ChatbridgeException error =
          assertThrows(
              ChatbridgeException.class,
              () -> both.getConversation(GetConversationRequest.getDefaultInstance()));
      assertEquals(Status.Code.UNIMPLEMENTED, error.code());
    }
    assertThrows(
        IllegalArgumentException.class, () -> Chatbridge.builder("a:1", "nowhere").build());
  }

  @Test
  void tellsThePackagesVersion() throws IOException {
    assertEquals(Version.VERSION, first("<version>([^<]+)</version>", Path.of("pom.xml")));
    assertEquals(Version.VERSION, first("## (\\S+)", Path.of("CHANGELOG.md")));
  }

  private static String first(String pattern, Path file) throws IOException {
    Matcher found = Pattern.compile(pattern).matcher(Files.readString(file));
    assertTrue(found.find());
    return found.group(1);
  }

  private static final class Attachments extends AttachmentServiceGrpc.AttachmentServiceImplBase {
    final ByteArrayOutputStream received = new ByteArrayOutputStream();
    volatile UploadAttachmentStart start;
    volatile int largest;
    volatile Status refusal;

    @Override
    public StreamObserver<UploadAttachmentRequest> uploadAttachment(
        StreamObserver<UploadAttachmentResponse> answer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(UploadAttachmentRequest part) {
          if (refusal != null) {
            answer.onError(refusal.asRuntimeException());
          } else if (part.hasStart()) {
            start = part.getStart();
          } else {
            largest = Math.max(largest, part.getChunk().size());
            received.writeBytes(part.getChunk().toByteArray());
          }
        }

        @Override
        public void onError(Throwable gone) {}

        @Override
        public void onCompleted() {
          answer.onNext(UploadAttachmentResponse.getDefaultInstance());
          answer.onCompleted();
        }
      };
    }

    @Override
    public void downloadAttachment(
        DownloadAttachmentRequest request, StreamObserver<DownloadAttachmentResponse> answer) {
      answer.onNext(
          DownloadAttachmentResponse.newBuilder()
              .setStart(Attachment.newBuilder().setFileName("a.txt"))
              .build());
      for (String piece : List.of("one", "two")) {
        answer.onNext(
            DownloadAttachmentResponse.newBuilder()
                .setChunk(ByteString.copyFromUtf8(piece))
                .build());
      }
      if (refusal != null) {
        answer.onError(refusal.asRuntimeException());
      } else {
        answer.onCompleted();
      }
    }
  }
}
