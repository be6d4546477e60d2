package io.chatbridge.driver;

import com.google.protobuf.ByteString;
import io.chatbridge.client.CursorStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Keeps a cursor in a file, which is replaced as a whole. */
final class CursorFile implements CursorStore {
  private final Path path;

  CursorFile(Path path) {
    this.path = path;
  }

  @Override
  public ByteString load() throws IOException {
    return Files.exists(path) ? ByteString.copyFrom(Files.readAllBytes(path)) : ByteString.EMPTY;
  }

  @Override
  public void save(ByteString cursor) throws IOException {
    Path next = path.resolveSibling(path.getFileName() + ".next");
    Files.write(next, cursor.toByteArray());
    Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
  }
}
