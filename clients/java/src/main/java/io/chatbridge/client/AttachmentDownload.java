package io.chatbridge.client;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.Attachment;
import io.chatbridge.v1.AttachmentServiceGrpc;
import io.chatbridge.v1.DownloadAttachmentRequest;
import io.chatbridge.v1.DownloadAttachmentResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.InputStream;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * A file that is being downloaded: its description, and its bytes, for one thread to read. The file
 * was complete if it could be read to its end; otherwise reading raises {@link
 * ChatbridgeException}. Closing it earlier ends the call.
 */
public final class AttachmentDownload extends InputStream {
  private final ClientCall<DownloadAttachmentRequest, DownloadAttachmentResponse> call;
  private final Object lock = new Object();
  private final Attachment attachment;
  private DownloadAttachmentResponse received;
  private Status status;
  private Metadata trailers;
  private ByteString piece = ByteString.EMPTY;
  private int position;

  AttachmentDownload(Transport transport, Duration timeout, DownloadAttachmentRequest request) {
    Metadata headers = transport.headers();
    call =
        transport
            .connections()
            .forCall()
            .channel()
            .newCall(
                AttachmentServiceGrpc.getDownloadAttachmentMethod(),
                CallOptions.DEFAULT.withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS));
    call.start(new Parts(), headers);
    call.sendMessage(Requests.complete(request, transport.tenant()));
    call.halfClose();
    DownloadAttachmentResponse first = nextPart();
    attachment = first == null ? Attachment.getDefaultInstance() : first.getStart();
  }

  /** What the vendor says of the file; a size of 0 bytes: not known. */
  public Attachment attachment() {
    return attachment;
  }

  @Override
  public int read() {
    return fill() ? piece.byteAt(position++) & 0xff : -1;
  }

  @Override
  public int read(byte[] target, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int count = Math.min(length, piece.size() - position);
    piece.substring(position, position + count).copyTo(target, offset);
    position += count;
    return count;
  }

  @Override
  public int available() {
    return piece.size() - position;
  }

  @Override
  public void close() {
    call.cancel("the reader closed it", null);
  }

  /** Whether there is a byte to read; false at the end. */
  private boolean fill() {
    while (position >= piece.size()) {
      DownloadAttachmentResponse part = nextPart();
      if (part == null) {
        return false;
      }
      piece = part.getChunk();
      position = 0;
    }
    return true;
  }

  /**
   * The next part; null at the end. It is asked for only now, so the server is never ahead by more
   * than the connection holds.
   */
  private DownloadAttachmentResponse nextPart() {
    synchronized (lock) {
      try {
        if (status == null) {
          call.request(1);
        }
        while (received == null && status == null) {
          lock.wait();
        }
      } catch (InterruptedException interrupted) {
        close();
        throw Transport.interrupted();
      }
      if (received != null) {
        DownloadAttachmentResponse part = received;
        received = null;
        return part;
      }
      if (status.isOk()) {
        return null;
      }
      throw ErrorReader.read(status, trailers, false);
    }
  }

  private final class Parts extends ClientCall.Listener<DownloadAttachmentResponse> {
    @Override
    public void onMessage(DownloadAttachmentResponse message) {
      synchronized (lock) {
        received = message;
        lock.notifyAll();
      }
    }

    @Override
    public void onClose(Status closed, Metadata withTrailers) {
      synchronized (lock) {
        status = closed;
        trailers = withTrailers;
        lock.notifyAll();
      }
    }
  }
}
