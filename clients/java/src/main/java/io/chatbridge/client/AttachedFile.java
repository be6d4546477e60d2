package io.chatbridge.client;

import io.chatbridge.v1.HandOverFile;

/**
 * A file that goes with a hand-over.
 *
 * @param description what it is; its name and size are filled in where they are empty and the
 *     content has them
 * @param content its bytes
 */
public record AttachedFile(HandOverFile description, FileContent content) {
  HandOverFile completed() {
    HandOverFile.Builder completed = description.toBuilder();
    if (completed.getFileName().isEmpty()) {
      completed.setFileName(content.name());
    }
    if (completed.getSizeBytes() == 0) {
      completed.setSizeBytes(content.sizeBytes());
    }
    return completed.build();
  }
}
