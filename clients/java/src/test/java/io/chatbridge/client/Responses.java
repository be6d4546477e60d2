package io.chatbridge.client;

import com.google.protobuf.ByteString;
import io.chatbridge.v1.AgentEvent;
import io.chatbridge.v1.AgentEventsResponse;
import io.chatbridge.v1.Changed;
import io.chatbridge.v1.Ending;
import io.chatbridge.v1.EndingReason;
import io.chatbridge.v1.Gap;
import io.chatbridge.v1.Heartbeat;
import io.chatbridge.v1.ReconnectAdvice;
import java.time.Duration;

/** Responses of a stream, as tests write them. */
final class Responses {
  private Responses() {}

  static ByteString cursor(String name) {
    return ByteString.copyFromUtf8(name);
  }

  /** An event with the cursor {@code cN}. */
  static AgentEventsResponse event(int number) {
    return AgentEventsResponse.newBuilder()
        .setCursor(cursor("c" + number))
        .setEvent(AgentEvent.newBuilder().setSequence(number))
        .build();
  }

  static AgentEventsResponse heartbeat(Duration interval) {
    return heartbeat(
        Heartbeat.newBuilder()
            .setInterval(com.google.protobuf.Duration.newBuilder().setNanos(interval.getNano())));
  }

  static AgentEventsResponse streamId(String id) {
    return heartbeat(Heartbeat.newBuilder().setStreamId(id));
  }

  private static AgentEventsResponse heartbeat(Heartbeat.Builder heartbeat) {
    return AgentEventsResponse.newBuilder()
        .setCursor(cursor("beat"))
        .setHeartbeat(heartbeat)
        .build();
  }

  static AgentEventsResponse changed(long revision) {
    return AgentEventsResponse.newBuilder()
        .setCursor(cursor("changed"))
        .setChanged(Changed.newBuilder().setRevision(revision))
        .build();
  }

  static AgentEventsResponse gap() {
    return AgentEventsResponse.newBuilder()
        .setCursor(cursor("gap"))
        .setGap(Gap.getDefaultInstance())
        .build();
  }

  static AgentEventsResponse ending(EndingReason reason, ReconnectAdvice advice) {
    return AgentEventsResponse.newBuilder()
        .setCursor(cursor("ending"))
        .setEnding(Ending.newBuilder().setReason(reason).setReconnect(advice))
        .build();
  }
}
