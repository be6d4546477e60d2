package io.chatbridge.client;

import com.google.protobuf.ByteString;
import java.io.IOException;

/**
 * Where an application keeps the place of a stream. Both functions may block. What they raise ends
 * the stream and is raised to the application, an {@link IOException} as {@link
 * java.io.UncheckedIOException}.
 */
public interface CursorStore {
  /**
   * The cursor that was saved last; empty or null: there is none. Asked once, before the stream
   * connects.
   */
  ByteString load() throws IOException;

  /** Keeps the cursor of a response that the application is done with. */
  void save(ByteString cursor) throws IOException;
}
