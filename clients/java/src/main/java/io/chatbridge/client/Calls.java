package io.chatbridge.client;

import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;

/** What the calls of each service are made with. */
abstract class Calls {
  final Transport transport;

  Calls(Transport transport) {
    this.transport = transport;
  }

  /** Makes a call with one request and waits for its response. */
  final <Q extends Message, R> R call(MethodDescriptor<Q, R> method, Q request) {
    return Transport.await(callAsync(method, request));
  }

  /**
   * Makes any call with one request and one response without waiting for it: {@code
   * callAsync(ConversationServiceGrpc.getSendMessageMethod(), request)}. Deadline, repeats, tenant
   * and {@code request_id} are those of the method that waits. The answer completes with {@link
   * ChatbridgeException} where the call fails; cancelling it cancels the call.
   */
  public final <Q extends Message, R> CompletableFuture<R> callAsync(
      MethodDescriptor<Q, R> method, Q request) {
    if (method.getType() != MethodDescriptor.MethodType.UNARY) {
      throw new IllegalArgumentException(method.getFullMethodName() + " is a streamed call");
    }
    return UnaryCall.start(
        transport, method, Requests.complete(request, transport.tenant()), transport.timeout());
  }

  /** All items of a list, page by page as they are asked for. */
  static <Q, R, T> Iterable<T> pages(
      Q first,
      Function<Q, R> list,
      Function<R, List<T>> items,
      Function<R, String> nextToken,
      BiFunction<Q, String, Q> withToken) {
    return () -> new Pages<>(first, list, items, nextToken, withToken);
  }

  /** An iteration over all items of a list. */
  private static final class Pages<Q, R, T> implements Iterator<T> {
    private final Function<Q, R> list;
    private final Function<R, List<T>> items;
    private final Function<R, String> nextToken;
    private final BiFunction<Q, String, Q> withToken;
    private Q next;
    private Iterator<T> page = List.<T>of().iterator();

    Pages(
        Q first,
        Function<Q, R> list,
        Function<R, List<T>> items,
        Function<R, String> nextToken,
        BiFunction<Q, String, Q> withToken) {
      this.next = first;
      this.list = list;
      this.items = items;
      this.nextToken = nextToken;
      this.withToken = withToken;
    }

    @Override
    public boolean hasNext() {
      // A page may be empty though more follow.
      while (!page.hasNext() && next != null) {
        R response = list.apply(next);
        String token = nextToken.apply(response);
        next = token.isEmpty() ? null : withToken.apply(next, token);
        page = items.apply(response).iterator();
      }
      return page.hasNext();
    }

    @Override
    public T next() {
      if (!hasNext()) {
        throw new NoSuchElementException("the list has no more items");
      }
      return page.next();
    }
  }
}
