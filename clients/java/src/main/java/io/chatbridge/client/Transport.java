package io.chatbridge.client;

import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/** What the calls of one client have in common. */
record Transport(
    Connections connections,
    Threads threads,
    Supplier<String> token,
    boolean tokenMayChange,
    String tenant,
    Duration timeout,
    int attempts,
    Backoff backoff) {
  static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /**
   * The headers of an attempt. Asks for the token, which may block, and raises what that raises.
   */
  Metadata headers() {
    Metadata headers = new Metadata();
    String good = token.get();
    if (good != null && !good.isEmpty()) {
      headers.put(AUTHORIZATION, "Bearer " + good);
    }
    return headers;
  }

  /** Waits for an answer, and raises an error as if it had come up here. */
  static <T> T await(CompletableFuture<T> answer) {
    try {
      return answer.get();
    } catch (ExecutionException failed) {
      throw raised(failed.getCause());
    } catch (InterruptedException interrupted) {
      answer.cancel(true);
      throw interrupted();
    } catch (CancellationException cancelled) {
      throw cancelled("the call was cancelled");
    }
  }

  /** The error, with the stack of whoever waited for it. */
  static RuntimeException raised(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof ChatbridgeException error) {
      error.fillInStackTrace();
      return error;
    }
    return failure instanceof RuntimeException error ? error : new IllegalStateException(failure);
  }

  /** Keeps the interruption, and says that the wait ended. */
  static ChatbridgeException interrupted() {
    Thread.currentThread().interrupt();
    return cancelled("the thread was interrupted while it waited");
  }

  static ChatbridgeException cancelled(String sentence) {
    return new ChatbridgeException(ErrorFacts.of(Status.Code.CANCELLED, sentence, ""), null);
  }

  static ChatbridgeException deadlineExceeded(Duration timeout, boolean sideEffects) {
    Status status =
        Status.DEADLINE_EXCEEDED.withDescription(
            "there was no answer within " + timeout.toMillis() + " ms");
    return ErrorReader.read(status, null, sideEffects);
  }
}
