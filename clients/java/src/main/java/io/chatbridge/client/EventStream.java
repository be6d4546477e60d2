package io.chatbridge.client;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.AgentEventsRequest;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.Ending;
import io.grpc.Metadata;
import io.grpc.Status;
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
  private final StreamPlace place;
  private final Deque<AgentEventsResponse> buffer = new ArrayDeque<>();
  private volatile Runnable onChange = () -> {};

  // All below are read and written under this object's lock.
  private final AgentEventsRequest.Builder request;
  private final Changes changes = new Changes();
  private EventAttempt current;
  private Duration silence;
  private int repeats;
  private int refusals;
  private boolean gapFails;
  private boolean ended;
  private Throwable failure;

  EventStream(
      Transport transport,
      AgentEventsRequest request,
      EventOptions options,
      Consumer<EventStream> onEnd) {
    this.transport = transport;
    this.request = Requests.complete(request, transport.tenant()).toBuilder();
    this.options = options;
    this.silence = options.silence();
    this.onEnd = onEnd;
    this.place = new StreamPlace(request, options.cursorStore());
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
      ByteString saved = place.load();
      if (!saved.isEmpty()) {
        synchronized (this) {
          request.setCursor(saved);
        }
      }
      connect();
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
        current = new EventAttempt(this, connection, transport.threads());
        current.open(request.build(), headers, options.openTimeout(), room());
      }
    }
  }

  /**
   * The next response if there is one, which then is the one that was given last; otherwise null.
   */
  synchronized AgentEventsResponse take() {
    AgentEventsResponse response = buffer.pollFirst();
    if (response != null) {
      place.given(response, request.getGapPolicy());
      if (current != null) {
        current.read(room());
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

  /** The cursor of the response that was given last. */
  ByteString cursor() {
    return place.cursor();
  }

  /**
   * Saves the cursor of the response that was given last: the application is done with it. Raises
   * what saving raises.
   */
  void done() {
    try {
      place.save();
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

  /** How many more responses the buffer takes. */
  private int room() {
    return options.buffer() - buffer.size();
  }

  private void accept(AgentEventsResponse response) {
    refusals = 0;
    gapFails = response.hasGap() && ResumeRules.failsAtGap(request.getGapPolicy());
    // A subscription knows by itself where to go on; and behind a gap that fails nobody goes on.
    if (!response.getCursor().isEmpty() && request.getSubscription().isEmpty() && !gapFails) {
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
  private ResumeRules.Stop afterConnection(
      EventAttempt over, Ending ending, ChatbridgeException error) {
    current = null;
    changes.disconnected();
    if (ending == null && error.code() == Status.Code.UNAUTHENTICATED) {
      refusals++;
    }
    if (gapFails) {
      return ResumeRules.afterFailingGap(error);
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

  /** A connection brought a response. */
  void received(EventAttempt attempt, AgentEventsResponse response) {
    ResumeRules.Stop end = null;
    synchronized (this) {
      if (current != attempt) {
        return;
      }
      accept(response);
      buffer.addLast(response);
      notifyAll();
      if (response.hasEnding()) {
        // The last response, whatever the status says that follows.
        attempt.abandon();
        end = afterConnection(attempt, response.getEnding(), null);
      } else {
        attempt.heard(silence);
      }
    }
    onChange.run();
    finish(end);
    changeCalls.redo();
  }

  /** A connection is over without an ending. */
  void closed(EventAttempt attempt, Status status, Metadata trailers) {
    ResumeRules.Stop end;
    synchronized (this) {
      if (current != attempt) {
        return;
      }
      attempt.abandon();
      Status problem =
          status.isOk()
              ? Status.UNAVAILABLE.withDescription(
                  "the server closed the stream without saying why")
              : status;
      end = afterConnection(attempt, null, ErrorReader.read(problem, trailers, false));
    }
    finish(end);
  }

  /** Nothing came for too long: the connection may be dead, and whatever shares it. */
  void silent(EventAttempt attempt, Duration limit) {
    transport.connections().giveUp(attempt.connection());
    closed(
        attempt,
        Status.UNAVAILABLE.withDescription("nothing came for " + limit.toMillis() + " ms"),
        null);
  }

  private void finish(ResumeRules.Stop stop) {
    if (stop != null) {
      end(stop.error(), false);
    }
  }
}
