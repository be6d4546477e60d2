package io.chatbridge.client;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The channel that calls go over.
 *
 * <p>gRPC for Java waits up to two minutes before it connects again, and that cannot be set. So a
 * channel that cannot connect is replaced when the next call comes and its turn has come, which
 * makes an attempt at once.
 */
final class Connections {
  /** How long after a channel was opened, and has failed, the next may be. */
  private static final Backoff RECONNECTS =
      new Backoff(Duration.ofMillis(200), Duration.ofSeconds(5));

  private static final long REVIVE_EVERY_NANOS = Duration.ofSeconds(5).toNanos();

  private final Supplier<ManagedChannel> open;
  private final LongSupplier nanoTime;
  private final List<ManagedChannel> retired = new ArrayList<>();
  private Connection current;
  private int failures;
  private long revivedNanos;
  private boolean closed;

  Connections(Supplier<ManagedChannel> open, LongSupplier nanoTime) {
    this.open = open;
    this.nanoTime = nanoTime;
    this.revivedNanos = nanoTime.getAsLong();
  }

  /** What a call goes over. */
  synchronized Connection forCall() {
    return current(RECONNECTS.ceiling(failures));
  }

  /**
   * What a stream goes over, which comes back in its own time and so need not wait for its turn as
   * long.
   */
  synchronized Connection forStream() {
    return current(RECONNECTS.first());
  }

  private Connection current(Duration turn) {
    if (closed) {
      throw new IllegalStateException("the client is closed");
    }
    long now = nanoTime.getAsLong();
    if (current == null) {
      current = new Connection(open.get(), now);
      return current;
    }
    ConnectivityState state = current.channel().getState(false);
    if (state == ConnectivityState.READY) {
      failures = 0;
      revive(now);
    } else if (state == ConnectivityState.TRANSIENT_FAILURE
        && now - current.openedNanos() >= turn.toNanos()) {
      failures++;
      replace(now);
    }
    return current;
  }

  /**
   * Where one of several servers is away, has gRPC look for it again sooner than it would by
   * itself.
   */
  private void revive(long now) {
    if (now - revivedNanos >= REVIVE_EVERY_NANOS) {
      revivedNanos = now;
      current.channel().resetConnectBackoff();
    }
  }

  /**
   * Lets no further call go over a connection that may be dead. Calls that are under way on it may
   * end.
   */
  synchronized void giveUp(Connection dead) {
    if (!closed && current == dead) {
      replace(nanoTime.getAsLong());
    }
  }

  private void replace(long now) {
    retired.removeIf(ManagedChannel::isTerminated);
    current.channel().shutdown();
    retired.add(current.channel());
    current = new Connection(open.get(), now);
  }

  /** Ends all calls and connections. Waits for that, if need be for the given time. */
  void close(Duration atMost) {
    List<ManagedChannel> channels;
    synchronized (this) {
      closed = true;
      channels = new ArrayList<>(retired);
      if (current != null) {
        channels.add(current.channel());
      }
    }
    channels.forEach(ManagedChannel::shutdownNow);
    long until = System.nanoTime() + atMost.toNanos();
    try {
      for (ManagedChannel channel : channels) {
        channel.awaitTermination(until - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  synchronized boolean isClosed() {
    return closed;
  }
}
