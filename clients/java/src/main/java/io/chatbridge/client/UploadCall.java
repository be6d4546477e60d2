package io.chatbridge.client;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A call that streams to the server, by the thread that has what is to be sent. */
final class UploadCall<Q, R> extends ClientCall.Listener<R> {
  private final MethodDescriptor<Q, R> method;
  private final ClientCall<Q, R> call;
  private R response;
  private Status status;
  private Metadata trailers;

  UploadCall(Transport transport, MethodDescriptor<Q, R> method, Duration timeout) {
    Metadata headers = transport.headers();
    this.method = method;
    this.call =
        transport
            .connections()
            .forCall()
            .channel()
            .newCall(
                method,
                CallOptions.DEFAULT.withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS));
    call.start(this, headers);
    call.request(2);
  }

  /**
   * Sends a part as soon as the connection takes it. False: the server has ended the call, and
   * {@link #answer} says how.
   */
  synchronized boolean send(Q part) {
    try {
      while (!call.isReady() && status == null) {
        wait();
      }
    } catch (InterruptedException interrupted) {
      cancel();
      throw Transport.interrupted();
    }
    if (status != null) {
      return false;
    }
    call.sendMessage(part);
    return true;
  }

  /** Ends the sending, and waits for the answer. */
  synchronized R answer() {
    try {
      if (status == null) {
        call.halfClose();
      }
      while (status == null) {
        wait();
      }
    } catch (InterruptedException interrupted) {
      cancel();
      throw Transport.interrupted();
    }
    if (status.isOk() && response != null) {
      return response;
    }
    Status problem =
        status.isOk() ? Status.INTERNAL.withDescription("the server sent no response") : status;
    throw ErrorReader.read(problem, trailers, RetryRules.hasSideEffects(method));
  }

  /** Lets the server forget what came. */
  void cancel() {
    call.cancel("the sender gave up", null);
  }

  @Override
  public synchronized void onReady() {
    notifyAll();
  }

  @Override
  public synchronized void onMessage(R message) {
    response = message;
  }

  @Override
  public synchronized void onClose(Status closed, Metadata withTrailers) {
    status = closed;
    trailers = withTrailers;
    notifyAll();
  }
}
