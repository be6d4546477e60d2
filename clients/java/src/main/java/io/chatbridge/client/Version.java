package io.chatbridge.client;

/** The library's version. A test compares it with the package's. */
final class Version {
  static final String VERSION = "0.1.0";

  private Version() {}
}
