package io.chatbridge.client;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import io.chatbridge.v1.AgentEventServiceGrpc;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.ChangeAgentEventsRequest;
import io.chatbridge.v1.ChangeAgentEventsResponse;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A service in this process, whose streams the test itself writes. */
final class FakeService implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofSeconds(10);

  /** A stream that was opened here. */
  record Opened(
      AgentEventsRequest request, ServerCallStreamObserver<AgentEventsResponse> responses) {
    void send(AgentEventsResponse... all) {
      for (AgentEventsResponse response : all) {
        responses.onNext(response);
      }
    }

    void fail(Status status) {
      responses.onError(status.asRuntimeException());
    }
  }

  final List<Metadata> headers = new CopyOnWriteArrayList<>();
  final List<String> connections = new CopyOnWriteArrayList<>();
  final BlockingQueue<ChangeAgentEventsRequest> changes = new LinkedBlockingQueue<>();
  private final BlockingQueue<Opened> opened = new LinkedBlockingQueue<>();

  /** What becomes of a stream that is opened. Without a script it is for {@link #next}. */
  volatile Consumer<Opened> script = opened::add;

  private final String name = UUID.randomUUID().toString();
  private final Server server;

  FakeService(Consumer<ServerBuilder<?>> services) throws IOException {
    InProcessServerBuilder builder = InProcessServerBuilder.forName(name);
    builder.addService(new Events()).intercept(new Headers());
    services.accept(builder);
    server = builder.build().start();
  }

  FakeService() throws IOException {
    this(builder -> {});
  }

  /** A client of it, which waits for next to nothing. */
  Chatbridge client(Consumer<ChatbridgeBuilder> options) {
    Backoff quick = new Backoff(Duration.ofNanos(1), Duration.ofNanos(2));
    ChatbridgeBuilder builder =
        new ChatbridgeBuilder(List.of(name))
            .backoff(quick)
            .eventOptions(EventOptions.defaults().withBackoff(quick, Duration.ofSeconds(5)));
    options.accept(builder);
    return builder.build(
        threads -> {
          connections.add("opened");
          return InProcessChannelBuilder.forName(name)
              .executor(threads.executor)
              .scheduledExecutorService(threads.timer)
              .build();
        });
  }

  Chatbridge client() {
    return client(builder -> {});
  }

  /** The next stream that is opened. */
  Opened next() throws InterruptedException {
    Opened stream = opened.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    if (stream == null) {
      throw new AssertionError("no stream was opened");
    }
    return stream;
  }

  /** An error as Chatbridge makes it. */
  static StatusRuntimeException error(Status.Code code, String reason, Message... details) {
    com.google.rpc.Status.Builder status =
        com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage("a sentence");
    status.addDetails(
        Any.pack(ErrorInfo.newBuilder().setDomain("chatbridge").setReason(reason).build()));
    for (Message detail : details) {
      status.addDetails(Any.pack(detail));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Events extends AgentEventServiceGrpc.AgentEventServiceImplBase {
    @Override
    public void agentEvents(
        AgentEventsRequest request, StreamObserver<AgentEventsResponse> responses) {
      ServerCallStreamObserver<AgentEventsResponse> call =
          (ServerCallStreamObserver<AgentEventsResponse>) responses;
      // So that a cancelled stream is no error here.
      call.setOnCancelHandler(() -> {});
      script.accept(new Opened(request, call));
    }

    @Override
    public void changeAgentEvents(
        ChangeAgentEventsRequest request, StreamObserver<ChangeAgentEventsResponse> responses) {
      changes.add(request);
      responses.onNext(
          ChangeAgentEventsResponse.newBuilder()
              .setRevision(Long.parseLong(request.getStreamId().substring(1)))
              .build());
      responses.onCompleted();
    }
  }

  private final class Headers implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata sent, ServerCallHandler<Q, R> next) {
      headers.add(sent);
      return next.startCall(call, sent);
    }
  }
}
