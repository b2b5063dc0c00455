package io.headgate.client;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.headgate.v1.Assigned;
import io.headgate.v1.Checkpoint;
import io.headgate.v1.Closing;
import io.headgate.v1.Event;
import io.headgate.v1.Gap;
import io.headgate.v1.Shard;
import io.headgate.v1.Standby;
import io.headgate.v1.Started;
import io.headgate.v1.SubscribeResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the log of a scripted gateway holds: at its nth place the creation of relation n. */
final class Responses {
  private Responses() {}

  static String cursor(int n) {
    return "c".repeat(16) + String.format("%06d", n);
  }

  static List<String> cursors(int from, int to) {
    List<String> all = new ArrayList<>();
    for (int n = from; n <= to; n++) {
      all.add(cursor(n));
    }
    return all;
  }

  static SubscribeResponse batch(int first, int last) {
    SubscribeResponse.Builder batch = SubscribeResponse.newBuilder().setCursor(cursor(last));
    for (int n = first; n <= last; n++) {
      batch.addEvents(Event.newBuilder().setCursor(cursor(n)).setEntity("relation").setEventType("relation.created").setPrimaryKey(n));
    }
    return batch.build();
  }

  static SubscribeResponse started(int n) {
    return started(n, 15_000);
  }

  static SubscribeResponse started(int n, int heartbeatMs) {
    Duration heartbeat = Duration.newBuilder().setSeconds(heartbeatMs / 1000).setNanos(heartbeatMs % 1000 * 1_000_000).build();
    return at(n).setStarted(Started.newBuilder().setHeartbeatInterval(heartbeat)).build();
  }

  /** The first response of a subscription's stream: it has no cursor yet. */
  static SubscribeResponse startedWithout() {
    return started(0).toBuilder().clearCursor().build();
  }

  static SubscribeResponse assigned(int n, String lease) {
    return at(n).setAssigned(Assigned.newBuilder().setShard(Shard.newBuilder().setCount(1)).setLease(lease)).build();
  }

  static SubscribeResponse standby() {
    return SubscribeResponse.newBuilder().setStandby(Standby.getDefaultInstance()).build();
  }

  static SubscribeResponse checkpoint(int n) {
    return at(n).setCheckpoint(Checkpoint.newBuilder().setCaughtUp(true)).build();
  }

  static SubscribeResponse gap(int n) {
    return at(n).setGap(Gap.getDefaultInstance()).build();
  }

  static SubscribeResponse closing(int n, Closing.Reason reason) {
    return at(n).setClosing(Closing.newBuilder().setReason(reason)).build();
  }

  static SubscribeResponse caughtUp(int n) {
    return closing(n, Closing.Reason.REASON_CAUGHT_UP);
  }

  static SubscribeResponse.Builder at(int n) {
    return SubscribeResponse.newBuilder().setCursor(cursor(n));
  }

  static StatusRuntimeException refusal(Status.Code code, String reason, Map<String, String> metadata) {
    return error(code, Any.pack(ErrorInfo.newBuilder().setDomain("headgate").setReason(reason).putAllMetadata(metadata).build()));
  }

  static StatusRuntimeException retryAfter(Status.Code code, String reason, int ms) {
    RetryInfo info = RetryInfo.newBuilder().setRetryDelay(Duration.newBuilder().setNanos(ms * 1_000_000)).build();
    return error(code, Any.pack(ErrorInfo.newBuilder().setDomain("headgate").setReason(reason).build()), Any.pack(info));
  }

  private static StatusRuntimeException error(Status.Code code, Any... details) {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage("in words").addAllDetails(List.of(details)).build());
  }

  /** In short. */
  static String name(Message m) {
    return m.event() != null ? "#" + m.event().getPrimaryKey() : m.kind().name().toLowerCase();
  }

  static int key(Message m) {
    return m.event() == null ? 0 : m.event().getPrimaryKey();
  }
}
