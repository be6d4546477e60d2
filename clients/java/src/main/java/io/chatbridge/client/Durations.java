package io.chatbridge.client;

import java.time.Duration;

/** Durations of the contract in Java's. */
final class Durations {
  private Durations() {}

  /**
   * What a server wrote, whatever it is: never negative, and at most some 292 years, which Java's
   * timers can count.
   */
  static Duration of(com.google.protobuf.Duration told) {
    long seconds = Math.max(0, Math.min(told.getSeconds(), Long.MAX_VALUE / 2_000_000_000L));
    return Duration.ofSeconds(seconds, Math.max(0, Math.min(told.getNanos(), 999_999_999)));
  }
}
