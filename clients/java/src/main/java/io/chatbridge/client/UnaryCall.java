package io.chatbridge.client;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A call with one request and one response, over as many attempts as are safe and its deadline
 * allows.
 */
final class UnaryCall<Q, R> {
  private final Transport transport;
  private final MethodDescriptor<Q, R> method;
  private final IdempotencyLevel level;
  private final Q request;
  private final Duration timeout;
  private final long deadlineNanos;
  private final CompletableFuture<R> answer = new CompletableFuture<>();
  private int attempts;
  private volatile ClientCall<Q, R> underWay;

  private UnaryCall(
      Transport transport, MethodDescriptor<Q, R> method, Q request, Duration timeout) {
    this.transport = transport;
    this.method = method;
    this.level = RetryRules.level(method);
    this.request = request;
    this.timeout = timeout;
    this.deadlineNanos = System.nanoTime() + timeout.toNanos();
  }

  /** Starts a call. Cancelling the answer cancels the call. */
  static <Q, R> CompletableFuture<R> start(
      Transport transport, MethodDescriptor<Q, R> method, Q request, Duration timeout) {
    if (transport.connections().isClosed()) {
      throw new IllegalStateException("the client is closed");
    }
    UnaryCall<Q, R> call = new UnaryCall<>(transport, method, request, timeout);
    call.answer.whenComplete((response, failure) -> call.stopIfCancelled());
    transport.threads().executor.execute(call::attempt);
    return call.answer;
  }

  private void stopIfCancelled() {
    ClientCall<Q, R> call = underWay;
    if (answer.isCancelled() && call != null) {
      call.cancel("the caller cancelled it", null);
    }
  }

  private void attempt() {
    if (answer.isDone()) {
      return;
    }
    try {
      // The token's function may block, and may have used up the time.
      Metadata headers = transport.headers();
      long leftNanos = deadlineNanos - System.nanoTime();
      if (leftNanos <= 0) {
        answer.completeExceptionally(
            Transport.deadlineExceeded(timeout, level != IdempotencyLevel.NO_SIDE_EFFECTS));
        return;
      }
      Connection connection = transport.connections().forCall();
      ClientCall<Q, R> call =
          connection
              .channel()
              .newCall(
                  method, CallOptions.DEFAULT.withDeadlineAfter(leftNanos, TimeUnit.NANOSECONDS));
      attempts++;
      underWay = call;
      call.start(new Answer(connection), headers);
      call.request(2);
      call.sendMessage(request);
      call.halfClose();
      stopIfCancelled();
    } catch (RuntimeException | Error failure) {
      answer.completeExceptionally(failure);
    }
  }

  private void failed(ChatbridgeException error) {
    if (transport.connections().isClosed()) {
      answer.completeExceptionally(Transport.cancelled("the client was closed"));
      return;
    }
    if (attempts >= transport.attempts() || !RetryRules.allow(error, level, attempts)) {
      answer.completeExceptionally(error);
      return;
    }
    Duration wait =
        error
            .retryAfter()
            .orElse(Duration.ZERO)
            .plus(transport.backoff().delay(attempts - 1, ThreadLocalRandom.current()));
    if (wait.compareTo(Duration.ofNanos(deadlineNanos - System.nanoTime())) >= 0) {
      answer.completeExceptionally(error);
      return;
    }
    Threads threads = transport.threads();
    threads.timer.schedule(
        () -> threads.executor.execute(this::attempt), wait.toNanos(), TimeUnit.NANOSECONDS);
  }

  private final class Answer extends ClientCall.Listener<R> {
    private final Connection connection;
    private R response;

    Answer(Connection connection) {
      this.connection = connection;
    }

    @Override
    public void onMessage(R message) {
      response = message;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (status.isOk() && response != null) {
        answer.complete(response);
        return;
      }
      Status problem =
          status.isOk() ? Status.INTERNAL.withDescription("the server sent no response") : status;
      if (problem.getCode() == Status.Code.DEADLINE_EXCEEDED
          && connection.channel().getState(false) == ConnectivityState.CONNECTING) {
        // Whatever took the connection never spoke HTTP/2, which gRPC itself would wait for without
        // an end.
        transport.connections().giveUp(connection);
      }
      failed(ErrorReader.read(problem, trailers, level != IdempotencyLevel.NO_SIDE_EFFECTS));
    }
  }
}
