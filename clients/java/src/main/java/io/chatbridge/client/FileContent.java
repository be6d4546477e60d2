package io.chatbridge.client;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The bytes of a file that is to be sent. They are read piece by piece. */
public final class FileContent {
  /** Opens a source. */
  private interface Source {
    InputStream open() throws IOException;
  }

  private final Source source;
  private final String name;
  private final long sizeBytes;

  private FileContent(Source source, String name, long sizeBytes) {
    this.source = source;
    this.name = name;
    this.sizeBytes = sizeBytes;
  }

  /**
   * A file of this machine.
   *
   * @throws IOException if its size cannot be read
   */
  public static FileContent of(Path path) throws IOException {
    Path name = path.getFileName();
    return new FileContent(
        () -> Files.newInputStream(path), name == null ? "" : name.toString(), Files.size(path));
  }

  /** Bytes. */
  public static FileContent of(byte[] bytes) {
    return new FileContent(() -> new ByteArrayInputStream(bytes), "", bytes.length);
  }

  /** A stream of so many bytes, which is closed when it was sent or could not be. */
  public static FileContent of(InputStream stream, long sizeBytes) {
    return new FileContent(() -> stream, "", sizeBytes);
  }

  InputStream open() throws IOException {
    return source.open();
  }

  /** The name of the file; empty: it has none. */
  String name() {
    return name;
  }

  long sizeBytes() {
    return sizeBytes;
  }
}
