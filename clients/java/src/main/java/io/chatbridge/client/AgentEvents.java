package io.chatbridge.client;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.ChangeAgentEventsRequest;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.TimeoutException;

/**
 * A stream of events, to be iterated once and by one thread: events, heartbeats, gaps, changes and
 * endings, each once and in order, over as many connections as it takes.
 *
 * <p>It connects as soon as it is made. It raises {@link ChatbridgeException} on what connecting
 * again cannot mend, {@link StreamEndedException} where the server says not to come back, and what
 * a {@link CursorStore} raises. It ends when it is stopped, or closed, or its client is.
 *
 * <p>Asking for a response says that the application is done with the one before, whose cursor is
 * saved then. {@link #stop} and going on to the end of the loop is therefore how to end it in an
 * orderly way; leaving the loop saves nothing, since an exception leaves it the same way.
 */
public final class AgentEvents implements Iterable<AgentEventsResponse>, AutoCloseable {
  private final EventStream stream;

  AgentEvents(EventStream stream) {
    this.stream = stream;
  }

  /**
   * The place behind the response that was given last: store it with what came of that response.
   */
  public ByteString cursor() {
    return stream.cursor();
  }

  /**
   * The one iterator over the responses. It waits for each; a thread that is interrupted meanwhile
   * gets a CANCELLED error.
   */
  @Override
  public Iterator<AgentEventsResponse> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return waitForNext(Long.MAX_VALUE);
      }

      @Override
      public AgentEventsResponse next() {
        if (!waitForNext(Long.MAX_VALUE)) {
          throw ended();
        }
        return take();
      }
    };
  }

  /**
   * The next response, if it comes in time. A wait that timed out loses nothing.
   *
   * @throws TimeoutException if none came
   * @throws NoSuchElementException if the stream has ended without an error
   */
  public AgentEventsResponse next(Duration timeout) throws TimeoutException {
    if (waitForNext(System.nanoTime() + Math.max(0, timeout.toNanos()))) {
      return take();
    }
    if (stream.isOver()) {
      throw ended();
    }
    throw new TimeoutException("no response within " + timeout.toMillis() + " ms");
  }

  /**
   * Adds conversations to a stream that was opened as changeable, and takes others off. Waits until
   * the stream is connected. The response {@code changed} tells from where on the change holds.
   * After a break the stream has what was changed.
   *
   * @param change what to change; its {@code tenant} and {@code stream_id} are filled in
   */
  public void change(ChangeAgentEventsRequest change) {
    stream.changeCalls().change(change);
  }

  /**
   * Ends the stream in an orderly way, from any thread: the iteration saves the cursor of the
   * response that it gave last, as ever when it is asked to go on, and is over.
   */
  public void stop() {
    stream.close();
  }

  /**
   * Ends the stream at once. A response that was given last and not come back from counts as not
   * processed.
   */
  @Override
  public void close() {
    stream.close();
  }

  private AgentEventsResponse take() {
    AgentEventsResponse response = stream.take();
    if (response == null) {
      throw ended();
    }
    return response;
  }

  private static NoSuchElementException ended() {
    return new NoSuchElementException("the stream has ended");
  }

  /** Whether there is a next response; false at the end, and when the time has come. */
  private boolean waitForNext(long untilNanos) {
    stream.done();
    synchronized (stream) {
      try {
        while (!stream.hasNext() && !stream.isEnded()) {
          if (untilNanos == Long.MAX_VALUE) {
            stream.wait();
            continue;
          }
          long leftNanos = untilNanos - System.nanoTime();
          if (leftNanos <= 0) {
            return false;
          }
          stream.wait(leftNanos / 1_000_000, (int) (leftNanos % 1_000_000));
        }
      } catch (InterruptedException interrupted) {
        throw Transport.interrupted();
      }
      if (stream.hasNext()) {
        return true;
      }
      if (stream.failure() != null) {
        throw Transport.raised(stream.failure());
      }
      return false;
    }
  }
}
