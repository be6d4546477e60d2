package io.chatbridge.client;

import io.chatbridge.v1.AgentEventServiceGrpc;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;

/**
 * One connection of a stream. Its methods are called under the stream's lock; what gRPC calls takes
 * it.
 */
final class EventAttempt extends ClientCall.Listener<AgentEventsResponse> {
  private final EventStream stream;
  private final Connection connection;
  private final StreamClock clock;
  private final ClientCall<AgentEventsRequest, AgentEventsResponse> call;
  private int requested;

  EventAttempt(EventStream stream, Connection connection, Threads threads) {
    this.stream = stream;
    this.connection = connection;
    this.clock = new StreamClock(stream, threads, limit -> stream.silent(this, limit));
    this.call =
        connection
            .channel()
            .newCall(AgentEventServiceGrpc.getAgentEventsMethod(), CallOptions.DEFAULT);
  }

  Connection connection() {
    return connection;
  }

  void open(AgentEventsRequest request, Metadata headers, Duration timeout, int room) {
    call.start(this, headers);
    clock.limit(timeout);
    read(room);
    call.sendMessage(request);
    call.halfClose();
  }

  /** Asks for as many responses as there is room for. HTTP/2 holds the others up. */
  void read(int room) {
    int more = room - requested;
    if (more > 0) {
      requested += more;
      call.request(more);
      clock.run();
    }
  }

  /** A response came, and the next may take so long. */
  void heard(Duration silence) {
    clock.heard(silence, requested > 0);
  }

  /** Whether it has brought something, and that so long ago. */
  boolean heldFor(Duration time) {
    return clock.heldFor(time);
  }

  void abandon() {
    clock.stop();
    call.cancel("the stream goes on elsewhere or has ended", null);
  }

  @Override
  public void onMessage(AgentEventsResponse response) {
    synchronized (stream) {
      requested--;
    }
    stream.received(this, response);
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    stream.closed(this, status, trailers);
  }
}
