package io.chatbridge.client;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before the next attempt: a random part (full jitter) of a time that doubles.
 *
 * @param first the most that is waited before the first repeat; more than zero
 * @param max the most that is ever waited; not less than {@code first}
 */
public record Backoff(Duration first, Duration max) {
  /** Checks the times. */
  public Backoff {
    if (first.isZero() || first.isNegative() || max.compareTo(first) < 0) {
      throw new IllegalArgumentException(
          "a backoff needs 0 < first <= max, not " + first + " and " + max);
    }
  }

  /** The wait before repeat number {@code repeat}, counted from 0. */
  Duration delay(int repeat, RandomGenerator random) {
    return Duration.ofNanos(random.nextLong(ceiling(repeat).toNanos() + 1));
  }

  /** The time of which a random part is waited. */
  Duration ceiling(int repeat) {
    // Thirty doublings are a thousand million; more would only overflow.
    Duration doubled = first.multipliedBy(1L << Math.min(repeat, 30));
    return doubled.compareTo(max) < 0 ? doubled : max;
  }
}
