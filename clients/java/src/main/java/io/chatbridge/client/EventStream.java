package io.chatbridge.client;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.AgentEventServiceGrpc;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.Ending;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A stream of events over as many connections as it takes. It fills a bounded buffer; whoever reads
 * takes from there, and is told by {@code onChange} when there may be something to take. Nothing
 * here waits, save the application's own functions.
 */
final class EventStream {
  private static final System.Logger LOG = System.getLogger("io.chatbridge.client");
  private static final int INTERVALS_OF_SILENCE = 2;

  private final Transport transport;
  private final EventOptions options;
  private final Consumer<EventStream> onEnd;
  private final ChangeCalls changeCalls;
  private final Deque<AgentEventsResponse> buffer = new ArrayDeque<>();
  private volatile Runnable onChange = () -> {};

  // All below are read and written under this object's lock.
  private final AgentEventsRequest.Builder request;
  private final Changes changes = new Changes();
  private Attempt current;
  private Duration silence;
  private int repeats;
  private int refusals;
  private boolean ended;
  private Throwable failure;
  private ByteString cursor;
  private ByteString unsaved;

  EventStream(
      Transport transport,
      AgentEventsRequest request,
      EventOptions options,
      Consumer<EventStream> onEnd) {
    if (options.cursorStore().isPresent() && !request.getSubscription().isEmpty()) {
      throw new IllegalArgumentException(
          "a subscription's place is kept by the service, not by a CursorStore");
    }
    this.transport = transport;
    this.request = Requests.complete(request, transport.tenant()).toBuilder();
    this.options = options;
    this.silence = options.silence();
    this.onEnd = onEnd;
    this.cursor = request.getCursor();
    this.changeCalls = new ChangeCalls(this, transport, changes, this.request);
  }

  /**
   * Has {@code listener} called, by any thread, whenever there may be something to take or the
   * stream has ended.
   */
  void onChange(Runnable listener) {
    onChange = listener;
  }

  ChangeCalls changeCalls() {
    return changeCalls;
  }

  /** Begins to connect. */
  void start() {
    transport.threads().executor.execute(this::begin);
  }

  private void begin() {
    try {
      if (options.cursorStore().isPresent()) {
        ByteString saved = options.cursorStore().get().load();
        if (saved != null && !saved.isEmpty()) {
          synchronized (this) {
            request.setCursor(saved);
            cursor = saved;
          }
        }
      }
      connect();
    } catch (IOException failed) {
      fail(new UncheckedIOException(failed));
    } catch (RuntimeException | Error failed) {
      fail(failed);
    }
  }

  private void connect() {
    Metadata headers;
    Connection connection;
    try {
      synchronized (this) {
        if (ended) {
          return;
        }
      }
      headers = transport.headers();
      connection = transport.connections().forStream();
    } catch (RuntimeException | Error failed) {
      fail(failed);
      return;
    }
    synchronized (this) {
      if (!ended) {
        current = new Attempt(connection);
        current.open(request.build(), headers);
      }
    }
  }

  /**
   * The next response if there is one, which then is the one that was given last; otherwise null.
   */
  synchronized AgentEventsResponse take() {
    AgentEventsResponse response = buffer.pollFirst();
    if (response != null) {
      if (!response.getCursor().isEmpty()) {
        cursor = response.getCursor();
        unsaved = cursor;
      }
      if (current != null) {
        current.read();
      }
    }
    return response;
  }

  synchronized boolean hasNext() {
    return !buffer.isEmpty();
  }

  /** Whether nothing more will come. */
  synchronized boolean isOver() {
    return ended && buffer.isEmpty();
  }

  synchronized boolean isEnded() {
    return ended;
  }

  /** Why it ended; null: it was closed, or the server ended it and it was not to resume. */
  synchronized Throwable failure() {
    return failure;
  }

  synchronized ByteString cursor() {
    return cursor;
  }

  /**
   * Saves the cursor of the response that was given last: the application is done with it. Raises
   * what saving raises.
   */
  void done() {
    ByteString toSave;
    synchronized (this) {
      toSave = unsaved;
      unsaved = null;
    }
    if (toSave == null || options.cursorStore().isEmpty()) {
      return;
    }
    try {
      options.cursorStore().get().save(toSave);
    } catch (IOException failed) {
      UncheckedIOException raised = new UncheckedIOException(failed);
      fail(raised);
      throw raised;
    } catch (RuntimeException | Error failed) {
      fail(failed);
      throw failed;
    }
  }

  /** Ends the stream without an error, and drops what was not taken. */
  void close() {
    end(null, true);
  }

  /** Ends the stream with an error, which comes after what was received before. */
  void fail(Throwable problem) {
    end(problem, false);
  }

  private void end(Throwable problem, boolean drop) {
    synchronized (this) {
      if (drop) {
        buffer.clear();
        // An error that nobody asked for any more.
        failure = null;
      }
      if (ended) {
        notifyAll();
        return;
      }
      ended = true;
      failure = problem;
      if (current != null) {
        current.abandon();
        current = null;
      }
      changes.disconnected();
      notifyAll();
    }
    onEnd.accept(this);
    onChange.run();
  }

  private void accept(AgentEventsResponse response) {
    refusals = 0;
    // A subscription knows by itself where to go on.
    if (!response.getCursor().isEmpty() && request.getSubscription().isEmpty()) {
      request.setCursor(response.getCursor());
    }
    switch (response.getPayloadCase()) {
      case HEARTBEAT -> {
        if (response.getHeartbeat().hasInterval()) {
          silence =
              Durations.of(response.getHeartbeat().getInterval())
                  .multipliedBy(INTERVALS_OF_SILENCE);
        }
        if (!response.getHeartbeat().getStreamId().isEmpty()) {
          changes.connected(response.getHeartbeat().getStreamId());
        }
      }
      case CHANGED -> changes.told(response.getChanged().getRevision(), request);
      default -> {}
    }
  }

  /**
   * Under the lock: the connection is over, with an error or after an ending. Returns null where
   * the stream goes on.
   */
  private ResumeRules.Stop afterConnection(Attempt over, Ending ending, ChatbridgeException error) {
    current = null;
    changes.disconnected();
    if (ending == null && error.code() == Status.Code.UNAUTHENTICATED) {
      refusals++;
    }
    ResumeRules.Verdict verdict =
        ending != null
            ? ResumeRules.afterEnding(ending, options.resume())
            : ResumeRules.afterError(error, options.resume(), transport.tokenMayChange(), refusals);
    if (verdict instanceof ResumeRules.Stop stop) {
      return stop;
    }
    ResumeRules.Again again = (ResumeRules.Again) verdict;
    if (again.afresh() || over.heldFor(options.settledAfter())) {
      repeats = 0;
    }
    Duration wait =
        again.atLeast().plus(options.backoff().delay(repeats, ThreadLocalRandom.current()));
    repeats++;
    if (ending == null) {
      LOG.log(
          System.Logger.Level.WARNING,
          "AgentEvents broke and connects again in {0} ms: {1}",
          wait.toMillis(),
          error.getMessage());
    }
    Threads threads = transport.threads();
    threads.timer.schedule(
        () -> threads.executor.execute(this::connect), wait.toNanos(), TimeUnit.NANOSECONDS);
    return null;
  }

  private void finish(ResumeRules.Stop stop) {
    if (stop != null) {
      end(stop.error(), false);
    }
  }

  /** One connection of the stream. Its fields are under the stream's lock. */
  private final class Attempt extends ClientCall.Listener<AgentEventsResponse> {
    private final Connection connection;
    private final StreamClock clock;
    private ClientCall<AgentEventsRequest, AgentEventsResponse> call;
    private int requested;
    private Ending ending;

    Attempt(Connection connection) {
      this.connection = connection;
      this.clock = new StreamClock(EventStream.this, transport.threads(), this::silent);
    }

    void open(AgentEventsRequest first, Metadata headers) {
      call =
          connection
              .channel()
              .newCall(AgentEventServiceGrpc.getAgentEventsMethod(), CallOptions.DEFAULT);
      call.start(this, headers);
      clock.limit(options.openTimeout());
      read();
      call.sendMessage(first);
      call.halfClose();
    }

    /** Asks for as many responses as the buffer has room for. HTTP/2 holds the others up. */
    void read() {
      int room = options.buffer() - buffer.size() - requested;
      if (room > 0 && ending == null) {
        requested += room;
        call.request(room);
        clock.run();
      }
    }

    void abandon() {
      clock.stop();
      call.cancel("the stream has ended", null);
    }

    boolean heldFor(Duration time) {
      return clock.heldFor(time);
    }

    /** Nothing came for too long: the connection may be dead, and whatever shares it. */
    private void silent(Duration limit) {
      ResumeRules.Stop end;
      synchronized (EventStream.this) {
        if (current != this) {
          return;
        }
        abandon();
        transport.connections().giveUp(connection);
        Status dead =
            Status.UNAVAILABLE.withDescription("nothing came for " + limit.toMillis() + " ms");
        end = afterConnection(this, null, ErrorReader.read(dead, null, false));
      }
      finish(end);
    }

    @Override
    public void onMessage(AgentEventsResponse response) {
      ResumeRules.Stop end = null;
      synchronized (EventStream.this) {
        if (current != this || ended) {
          return;
        }
        requested--;
        accept(response);
        buffer.addLast(response);
        EventStream.this.notifyAll();
        if (response.hasEnding()) {
          // The last response, whatever the status says that follows.
          ending = response.getEnding();
          abandon();
          end = afterConnection(this, ending, null);
        } else {
          clock.heard(silence, requested > 0);
        }
      }
      onChange.run();
      finish(end);
      changeCalls.redo();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      ResumeRules.Stop end;
      synchronized (EventStream.this) {
        if (current != this || ended) {
          return;
        }
        clock.stop();
        Status problem =
            status.isOk()
                ? Status.UNAVAILABLE.withDescription(
                    "the server closed the stream without saying why")
                : status;
        end = afterConnection(this, null, ErrorReader.read(problem, trailers, false));
      }
      finish(end);
    }
  }
}
