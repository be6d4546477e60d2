package io.chatbridge.client;

import java.time.Duration;
import java.util.Optional;

/** How a stream of events behaves. Immutable: each {@code with} method gives a changed copy. */
public final class EventOptions {
  private static final EventOptions DEFAULTS =
      new EventOptions(
          true,
          64,
          new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10)),
          Duration.ofSeconds(5),
          Duration.ofSeconds(10),
          Duration.ofSeconds(40),
          null);

  private final boolean resume;
  private final int buffer;
  private final Backoff backoff;
  private final Duration settledAfter;
  private final Duration openTimeout;
  private final Duration silence;
  private final CursorStore cursorStore;

  private EventOptions(
      boolean resume,
      int buffer,
      Backoff backoff,
      Duration settledAfter,
      Duration openTimeout,
      Duration silence,
      CursorStore cursorStore) {
    this.resume = resume;
    this.buffer = buffer;
    this.backoff = backoff;
    this.settledAfter = settledAfter;
    this.openTimeout = openTimeout;
    this.silence = silence;
    this.cursorStore = cursorStore;
  }

  /** The library's own: resumes, holds 64 responses, keeps no cursor. */
  public static EventOptions defaults() {
    return DEFAULTS;
  }

  /** Whether the stream connects again after a break. */
  public boolean resume() {
    return resume;
  }

  /** How many responses are held that the application has not asked for, at the most. */
  public int buffer() {
    return buffer;
  }

  /** The wait before the stream connects again. */
  public Backoff backoff() {
    return backoff;
  }

  /** For how long a connection must hold before the backoff starts over. */
  public Duration settledAfter() {
    return settledAfter;
  }

  /** How long the first response may take after opening. */
  public Duration openTimeout() {
    return openTimeout;
  }

  /**
   * How long a connection may be silent until a heartbeat tells the service's interval, of which it
   * is then twice.
   */
  public Duration silence() {
    return silence;
  }

  /** Where the place is kept; empty: nowhere. */
  public Optional<CursorStore> cursorStore() {
    return Optional.ofNullable(cursorStore);
  }

  /** Raises a break instead of connecting again, and ends the iteration after an {@code ending}. */
  public EventOptions withoutResume() {
    return new EventOptions(
        false, buffer, backoff, settledAfter, openTimeout, silence, cursorStore);
  }

  /** Holds at most so many responses, at least 1. */
  public EventOptions withBuffer(int responses) {
    if (responses < 1) {
      throw new IllegalArgumentException("a stream holds at least 1 response, not " + responses);
    }
    return new EventOptions(
        resume, responses, backoff, settledAfter, openTimeout, silence, cursorStore);
  }

  /**
   * Waits so before it connects again; from the start again once a connection held for {@code
   * settledAfter}.
   */
  public EventOptions withBackoff(Backoff waits, Duration settledAfter) {
    return new EventOptions(resume, buffer, waits, settledAfter, openTimeout, silence, cursorStore);
  }

  /**
   * Gives a connection up that brought nothing for so long: after opening, and before a heartbeat
   * told an interval.
   */
  public EventOptions withSilence(Duration openTimeout, Duration silence) {
    return new EventOptions(
        resume,
        buffer,
        backoff,
        settledAfter,
        positive(openTimeout),
        positive(silence),
        cursorStore);
  }

  /** Keeps the place in {@code store}. Not with a subscription, whose place the service keeps. */
  public EventOptions withCursorStore(CursorStore store) {
    return new EventOptions(resume, buffer, backoff, settledAfter, openTimeout, silence, store);
  }

  private static Duration positive(Duration duration) {
    if (duration.isZero() || duration.isNegative()) {
      throw new IllegalArgumentException("a time that a connection may be silent is more than 0");
    }
    return duration;
  }
}
