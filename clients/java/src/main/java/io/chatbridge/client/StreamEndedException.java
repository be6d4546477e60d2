package io.chatbridge.client;

import io.chatbridge.v1.Ending;
import io.chatbridge.v1.EndingReason;
import io.grpc.Status;

/** The server ended a stream of events and advised not to connect again with the same request. */
public final class StreamEndedException extends ChatbridgeException {
  private static final long serialVersionUID = 1L;

  private final Ending ending;

  StreamEndedException(Ending ending) {
    super(
        ErrorFacts.of(
            ending.getReason() == EndingReason.ENDING_REASON_UNAUTHORIZED
                ? Status.Code.PERMISSION_DENIED
                : Status.Code.ABORTED,
            "the server ended the stream and advised not to connect again with the same request",
            name(ending)),
        null);
    this.ending = ending;
  }

  /** What the server sent. */
  public Ending ending() {
    return ending;
  }

  /**
   * The reason's name; a server that is newer than this library may send one that it does not know.
   */
  static String name(Ending ending) {
    return ending.getReason() == EndingReason.UNRECOGNIZED
        ? "ENDING_REASON_" + ending.getReasonValue()
        : ending.getReason().name();
  }
}
