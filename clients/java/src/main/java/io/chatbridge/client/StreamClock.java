package io.chatbridge.client;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Notices a connection on which nothing comes. It runs only while the stream is being read: a
 * server that is held up has nothing to say. Used under the stream's lock; {@code onSilence} is
 * called without it.
 */
final class StreamClock {
  private final Object lock;
  private final Threads threads;
  private final Consumer<Duration> onSilence;
  private Duration limit;
  private boolean running;
  private boolean stopped;
  private long sinceNanos;
  private long firstHeardNanos;
  private boolean anyHeard;
  private ScheduledFuture<?> due;

  StreamClock(Object lock, Threads threads, Consumer<Duration> onSilence) {
    this.lock = lock;
    this.threads = threads;
    this.onSilence = onSilence;
  }

  /** How long nothing may come. */
  void limit(Duration longest) {
    limit = longest;
  }

  /** The stream is read: starts to count, unless it is counting already. */
  void run() {
    if (!running && !stopped) {
      running = true;
      sinceNanos = System.nanoTime();
      arm(limit);
    }
  }

  /** Something came, after which the stream is read on or not. */
  void heard(Duration longest, boolean reading) {
    long now = System.nanoTime();
    if (!anyHeard) {
      anyHeard = true;
      firstHeardNanos = now;
    }
    sinceNanos = now;
    boolean sooner = limit == null || longest.compareTo(limit) < 0;
    limit = longest;
    running = reading && !stopped;
    if (!running) {
      disarm();
    } else if (sooner || due == null) {
      // Otherwise the timer looks when it is due: events need not move it each time.
      disarm();
      arm(limit);
    }
  }

  /** Whether something came, and that so long ago. */
  boolean heldFor(Duration time) {
    return anyHeard && System.nanoTime() - firstHeardNanos >= time.toNanos();
  }

  void stop() {
    stopped = true;
    running = false;
    disarm();
  }

  private void arm(Duration wait) {
    due = threads.timer.schedule(this::look, wait.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void disarm() {
    if (due != null) {
      due.cancel(false);
      due = null;
    }
  }

  private void look() {
    Duration passed;
    synchronized (lock) {
      due = null;
      if (!running) {
        return;
      }
      Duration left = limit.minusNanos(System.nanoTime() - sinceNanos);
      if (!left.isZero() && !left.isNegative()) {
        arm(left);
        return;
      }
      stop();
      passed = limit;
    }
    threads.executor.execute(() -> onSilence.accept(passed));
  }
}
