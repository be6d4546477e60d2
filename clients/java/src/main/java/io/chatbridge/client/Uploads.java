package io.chatbridge.client;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.AttachmentServiceGrpc;
import io.chatbridge.v1.ConversationServiceGrpc;
import io.chatbridge.v1.HandOver;
import io.chatbridge.v1.HandOverConversationRequest;
import io.chatbridge.v1.HandOverConversationResponse;
import io.chatbridge.v1.UploadAttachmentRequest;
import io.chatbridge.v1.UploadAttachmentResponse;
import io.chatbridge.v1.UploadAttachmentStart;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** The calls that send files. */
final class Uploads {
  private static final int PIECE_BYTES = 256 * 1024;

  private Uploads() {}

  static UploadAttachmentResponse attachment(
      Transport transport, Duration timeout, UploadAttachmentStart start, FileContent content)
      throws IOException {
    UploadAttachmentStart.Builder first = Requests.complete(start, transport.tenant()).toBuilder();
    if (first.getFileName().isEmpty()) {
      first.setFileName(content.name());
    }
    if (first.getSizeBytes() == 0) {
      first.setSizeBytes(content.sizeBytes());
    }
    UploadCall<UploadAttachmentRequest, UploadAttachmentResponse> call =
        new UploadCall<>(transport, AttachmentServiceGrpc.getUploadAttachmentMethod(), timeout);
    return send(
        call,
        () -> {
          if (call.send(UploadAttachmentRequest.newBuilder().setStart(first).build())) {
            pieces(
                call,
                content,
                piece -> UploadAttachmentRequest.newBuilder().setChunk(piece).build());
          }
        });
  }

  static HandOverConversationResponse handOver(
      Transport transport, Duration timeout, HandOver start, List<AttachedFile> files)
      throws IOException {
    HandOver first = Requests.complete(start, transport.tenant());
    UploadCall<HandOverConversationRequest, HandOverConversationResponse> call =
        new UploadCall<>(
            transport, ConversationServiceGrpc.getHandOverConversationMethod(), timeout);
    return send(
        call,
        () -> {
          boolean wanted =
              call.send(HandOverConversationRequest.newBuilder().setStart(first).build());
          for (AttachedFile file : files) {
            wanted =
                wanted
                    && call.send(
                        HandOverConversationRequest.newBuilder().setFile(file.completed()).build())
                    && pieces(
                        call,
                        file.content(),
                        piece -> HandOverConversationRequest.newBuilder().setChunk(piece).build());
          }
        });
  }

  /** Sends parts. */
  private interface Sending {
    void run() throws IOException;
  }

  private static <Q, R> R send(UploadCall<Q, R> call, Sending parts) throws IOException {
    try {
      parts.run();
    } catch (IOException | RuntimeException | Error failed) {
      call.cancel();
      throw failed;
    }
    return call.answer();
  }

  /** Sends a file piece by piece. False: the server has ended the call. */
  private static <Q> boolean pieces(
      UploadCall<Q, ?> call, FileContent content, Function<ByteString, Q> part) throws IOException {
    try (InputStream stream = content.open()) {
      byte[] piece = new byte[PIECE_BYTES];
      int length;
      while ((length = stream.read(piece)) >= 0) {
        if (length > 0 && !call.send(part.apply(ByteString.copyFrom(piece, 0, length)))) {
          return false;
        }
      }
      return true;
    }
  }
}
