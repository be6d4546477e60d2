package io.chatbridge.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StreamClockTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration SHORT = Duration.ofNanos(1);

  private final Threads threads = new Threads();
  private final CompletableFuture<Duration> silence = new CompletableFuture<>();
  private final StreamClock clock = new StreamClock(this, threads, silence::complete);

  @AfterEach
  void stop() {
    threads.close(Duration.ofSeconds(5));
  }

  @Test
  void runsOnlyWhileTheStreamIsRead() {
    synchronized (this) {
      clock.limit(LONG);
      assertFalse(isRunning());
      clock.run();
      assertTrue(isRunning());
      clock.heard(LONG, false);
      assertFalse(isRunning());
      clock.run();
      assertTrue(isRunning());
      clock.stop();
      clock.run();
      assertFalse(isRunning());
    }
  }

  @Test
  void noticesSilence() throws Exception {
    synchronized (this) {
      clock.limit(LONG);
      clock.run();
      // A heartbeat told a shorter interval than the clock was set to.
      clock.heard(SHORT, true);
    }
    assertEquals(SHORT, silence.get(10, TimeUnit.SECONDS));
  }

  @Test
  void knowsForHowLongAConnectionHeld() {
    synchronized (this) {
      assertFalse(clock.heldFor(Duration.ZERO));
      clock.heard(LONG, true);
      assertTrue(clock.heldFor(Duration.ZERO));
      assertFalse(clock.heldFor(LONG));
    }
  }

  private boolean isRunning() {
    return !threads.timer.getQueue().isEmpty();
  }
}
