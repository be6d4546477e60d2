package io.chatbridge.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Backoff BACKOFF =
      new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));

  @Test
  void doublesUpToTheMost() {
    assertEquals(Duration.ofMillis(200), BACKOFF.ceiling(0));
    assertEquals(Duration.ofMillis(400), BACKOFF.ceiling(1));
    assertEquals(Duration.ofMillis(6400), BACKOFF.ceiling(5));
    assertEquals(Duration.ofSeconds(10), BACKOFF.ceiling(6));
    assertEquals(Duration.ofSeconds(10), BACKOFF.ceiling(Integer.MAX_VALUE));
  }

  @Test
  void waitsARandomPart() {
    assertEquals(Duration.ZERO, BACKOFF.delay(3, part(0)));
    assertEquals(Duration.ofMillis(800), BACKOFF.delay(2, part(1)));
  }

  @Test
  void refusesTimesThatMakeNoSense() {
    assertThrows(
        IllegalArgumentException.class, () -> new Backoff(Duration.ZERO, Duration.ofSeconds(1)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Backoff(Duration.ofSeconds(2), Duration.ofSeconds(1)));
  }

  /** Chance that gives the least (0) or the most (1). */
  private static RandomGenerator part(int end) {
    return new RandomGenerator() {
      @Override
      public long nextLong() {
        return 0;
      }

      @Override
      public long nextLong(long bound) {
        return end * (bound - 1);
      }
    };
  }
}
