package io.chatbridge.client;

import io.chatbridge.v1.AgentEventsResponse;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** A stream of events for each subscriber, at the subscriber's pace. */
final class EventPublisher implements Flow.Publisher<AgentEventsResponse> {
  private final Supplier<EventStream> open;
  private final ExecutorService executor;

  EventPublisher(Supplier<EventStream> open, ExecutorService executor) {
    this.open = open;
    this.executor = executor;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super AgentEventsResponse> subscriber) {
    Objects.requireNonNull(subscriber, "subscriber");
    EventStream stream;
    try {
      stream = open.get();
    } catch (RuntimeException failed) {
      subscriber.onSubscribe(new Nothing());
      subscriber.onError(failed);
      return;
    }
    new Subscription(stream, subscriber).begin();
  }

  /** Of a subscriber that is told of an error right away. */
  private static final class Nothing implements Flow.Subscription {
    @Override
    public void request(long n) {}

    @Override
    public void cancel() {}
  }

  private final class Subscription implements Flow.Subscription {
    private final EventStream stream;
    // More turns than none: somebody is delivering, and looks again before it stops.
    private final AtomicInteger turns = new AtomicInteger();
    private Flow.Subscriber<? super AgentEventsResponse> subscriber;
    private long demand;
    private boolean cancelled;
    private Throwable misuse;

    Subscription(EventStream stream, Flow.Subscriber<? super AgentEventsResponse> subscriber) {
      this.stream = stream;
      this.subscriber = subscriber;
    }

    void begin() {
      // Held until the subscriber knows its subscription: nothing may come before that.
      turns.incrementAndGet();
      stream.onChange(this::deliver);
      subscriber.onSubscribe(this);
      stream.start();
      executor.execute(this::takeTurns);
    }

    @Override
    public void request(long n) {
      synchronized (this) {
        if (n <= 0 && misuse == null) {
          misuse = new IllegalArgumentException("a subscriber asks for at least 1, not " + n);
        }
        demand = n > Long.MAX_VALUE - demand ? Long.MAX_VALUE : demand + Math.max(0, n);
      }
      deliver();
    }

    @Override
    public void cancel() {
      synchronized (this) {
        cancelled = true;
      }
      stream.close();
      deliver();
    }

    private void deliver() {
      if (turns.getAndIncrement() == 0) {
        executor.execute(this::takeTurns);
      }
    }

    private void takeTurns() {
      int seen = turns.get();
      do {
        try {
          deliverAll();
        } catch (RuntimeException | Error failed) {
          // A subscriber must not raise anything; one that does gets nothing more.
          stream.close();
          subscriber = null;
        }
        seen = turns.addAndGet(-seen);
      } while (seen > 0);
    }

    private void deliverAll() {
      while (subscriber != null) {
        Throwable wrong;
        boolean wanted;
        boolean unwelcome;
        synchronized (this) {
          wrong = misuse;
          wanted = demand > 0;
          unwelcome = cancelled;
        }
        if (wanted && !saved()) {
          return;
        }
        if (unwelcome) {
          subscriber = null;
        } else if (wrong != null) {
          stream.close();
          end(wrong);
        } else if (stream.isOver()) {
          end(stream.failure());
        } else {
          AgentEventsResponse response = wanted ? stream.take() : null;
          if (response == null) {
            return;
          }
          synchronized (this) {
            demand = demand == Long.MAX_VALUE ? demand : demand - 1;
          }
          subscriber.onNext(response);
        }
      }
    }

    /**
     * The subscriber came back from the response before, and asks for another: it is done with
     * that.
     */
    private boolean saved() {
      try {
        stream.done();
        return true;
      } catch (RuntimeException failed) {
        stream.close();
        end(failed);
        return false;
      }
    }

    private synchronized boolean isCancelled() {
      return cancelled;
    }

    private void end(Throwable failure) {
      Flow.Subscriber<? super AgentEventsResponse> told = subscriber;
      subscriber = null;
      // Cancelling ends the stream too, and whoever cancelled hears no more of it.
      if (isCancelled()) {
        return;
      }
      if (failure == null) {
        told.onComplete();
      } else {
        told.onError(failure);
      }
    }
  }
}
