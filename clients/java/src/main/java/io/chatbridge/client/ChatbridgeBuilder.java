package io.chatbridge.client;

import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;

/** Options of a client. */
public final class ChatbridgeBuilder {
  final List<String> servers;
  boolean plaintext;
  byte[] authorities;
  byte[] certificate;
  byte[] key;
  Duration pingAfter = Duration.ofSeconds(30);
  Duration pingTimeout = Duration.ofSeconds(10);
  int maxAnswerBytes = 16 * 1024 * 1024;

  private String tenant = "";
  private Supplier<String> token = () -> "";
  private boolean tokenMayChange;
  private Duration timeout = Duration.ofSeconds(15);
  private Duration transferTimeout = Duration.ofSeconds(600);
  private int attempts = 4;
  private Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2));
  private EventOptions eventOptions = EventOptions.defaults();

  ChatbridgeBuilder(List<String> servers) {
    if (servers.isEmpty()) {
      throw new IllegalArgumentException("a client needs a server");
    }
    this.servers = servers;
  }

  /** Encrypts nothing: whoever is on the way can read tokens and texts. Without it, TLS is used. */
  public ChatbridgeBuilder plaintext() {
    plaintext = true;
    return this;
  }

  /** Trusts these certificate authorities, in PEM, instead of the system's. */
  public ChatbridgeBuilder certificateAuthorities(byte[] pem) {
    authorities = pem.clone();
    return this;
  }

  /** Shows a certificate to the server: its chain and its private key (PKCS #8), both in PEM. */
  public ChatbridgeBuilder clientCertificate(byte[] chainPem, byte[] keyPem) {
    certificate = chainPem.clone();
    key = keyPem.clone();
    return this;
  }

  /** The tenant of each request that names none. */
  public ChatbridgeBuilder tenant(String tenant) {
    this.tenant = Objects.requireNonNull(tenant);
    return this;
  }

  /** The caller's token. */
  public ChatbridgeBuilder token(String token) {
    Objects.requireNonNull(token);
    this.token = () -> token;
    tokenMayChange = false;
    return this;
  }

  /**
   * A function that gives the token that is good now; null or empty: none. It is asked before each
   * attempt of a call and each time that a stream connects, by threads of the client's and by
   * callers', so it should remember. It may block. What it raises is raised to the application.
   */
  public ChatbridgeBuilder token(Supplier<String> token) {
    this.token = Objects.requireNonNull(token);
    tokenMayChange = true;
    return this;
  }

  /** The deadline of each call, all attempts included: 15 s. */
  public ChatbridgeBuilder timeout(Duration timeout) {
    this.timeout = positive("a timeout", timeout);
    return this;
  }

  /** The deadline of each call that carries a file: 600 s. */
  public ChatbridgeBuilder transferTimeout(Duration timeout) {
    this.transferTimeout = positive("a timeout", timeout);
    return this;
  }

  /** How many attempts a call has, where repeating is safe: 4. One: it is never repeated. */
  public ChatbridgeBuilder attempts(int attempts) {
    if (attempts < 1) {
      throw new IllegalArgumentException("a call has at least 1 attempt, not " + attempts);
    }
    this.attempts = attempts;
    return this;
  }

  /** The wait before a call is attempted again: up to 0.1 s at first and 2 s at most. */
  public ChatbridgeBuilder backoff(Backoff backoff) {
    this.backoff = Objects.requireNonNull(backoff);
    return this;
  }

  /** How streams behave whose call names no options. */
  public ChatbridgeBuilder eventOptions(EventOptions options) {
    this.eventOptions = Objects.requireNonNull(options);
    return this;
  }

  /**
   * When a connection is taken for dead: 30 s of silence while a call is under way, and no answer
   * to a ping for 10 s. Servers may refuse clients that ping more often.
   */
  public ChatbridgeBuilder pings(Duration afterSilence, Duration timeout) {
    this.pingAfter = positive("a silence", afterSilence);
    this.pingTimeout = positive("a timeout", timeout);
    return this;
  }

  /** How many bytes an answer may have: 16 MiB. */
  public ChatbridgeBuilder maxAnswerBytes(int bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("an answer has at least 1 byte, not " + bytes);
    }
    this.maxAnswerBytes = bytes;
    return this;
  }

  /** A client, which connects when it is used first. */
  public Chatbridge build() {
    Channels channels = new Channels(this);
    return build(channels::open);
  }

  /** A client over channels that are opened so. */
  Chatbridge build(Function<Threads, ManagedChannel> open) {
    Threads threads = new Threads();
    Connections connections = new Connections(() -> open.apply(threads), System::nanoTime);
    try {
      // Shows now what is wrong with the target or a certificate. It connects to nothing yet.
      connections.forCall();
    } catch (RuntimeException wrong) {
      threads.close(Duration.ZERO);
      throw wrong;
    }
    return new Chatbridge(
        new Transport(
            connections, threads, token, tokenMayChange, tenant, timeout, attempts, backoff),
        transferTimeout,
        eventOptions);
  }

  static Duration positive(String what, Duration duration) {
    if (duration.isZero() || duration.isNegative()) {
      throw new IllegalArgumentException(what + " is more than 0, not " + duration);
    }
    return duration;
  }
}
