package io.headgate.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Map;

/** What a gateway, or the way to it, answered instead of what was asked for. */
public final class HeadgateException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Why, "" when the answer was not a gateway's own. */
  private final String reason;

  /** The status code of gRPC. */
  private final Status.Code code;

  /** In words. */
  private final String description;

  private final transient Map<String, String> metadata;
  private final transient Duration retryAfter;

  private HeadgateException(String doing, Status status, Parts parts, Throwable cause) {
    super(doing + (parts.reason.isEmpty() ? status.getCode() : parts.reason) + ": " + words(status), cause);
    this.reason = parts.reason;
    this.code = status.getCode();
    this.description = words(status);
    this.metadata = parts.metadata;
    this.retryAfter = parts.retryAfter;
  }

  /**
   * Reads the error of a call that was made over {@link Headgate#channel}.
   *
   * @param error what a generated stub threw; the status is UNKNOWN when there is none in it or its causes
   * @return never null
   */
  public static HeadgateException of(Throwable error) {
    return of("", Status.fromThrowable(error), Status.trailersFromThrowable(error), error);
  }

  /** Reads a status as it was received. What was being done, if it is told, ends with a colon and a space. */
  static HeadgateException of(String doing, Status status, Metadata trailers, Throwable cause) {
    return new HeadgateException(doing, status, Parts.of(status, trailers), cause);
  }

  /**
   * Why: one of {@link Reasons}, or one of a newer gateway.
   *
   * @return "" when the answer was not a gateway's own
   */
  public String reason() {
    return reason;
  }

  /**
   * The status code of gRPC.
   *
   * @return never null
   */
  public Status.Code code() {
    return code;
  }

  /**
   * Says in words what was wrong. {@link #getMessage} is this after the reason, or else the code.
   *
   * @return never null
   */
  public String description() {
    return description;
  }

  /**
   * The particulars, for example "earliest_cursor" of CURSOR_EXPIRED, or "field" of FILTER_INVALID.
   *
   * @return unmodifiable, perhaps empty
   */
  public Map<String, String> metadata() {
    return metadata == null ? Map.of() : metadata;
  }

  /** How long the gateway wishes to be left alone; zero when it does not say. */
  Duration retryAfter() {
    return retryAfter == null ? Duration.ZERO : retryAfter;
  }

  /**
   * Tells whether asking again can help. That is never so for what a gateway refuses. An INTERNAL or UNKNOWN of the way, such as a proxy's reset, is taken for
   * a broken connection only when the stream had moved on: the same failure at the same place would return for ever.
   */
  boolean temporary(boolean movedOn) {
    switch (reason) {
      case Reasons.DRAINING:
      case Reasons.UNAVAILABLE:
      case Reasons.LIMIT:
        return true;
      case "":
        break;
      default:
        return code == Status.Code.UNAVAILABLE;
    }
    switch (code) {
      case UNAVAILABLE:
      case ABORTED:
      case CANCELLED:
      case DEADLINE_EXCEEDED:
        return true;
      case RESOURCE_EXHAUSTED:
        return !retryAfter().isZero();
      case INTERNAL:
      case UNKNOWN:
        return movedOn;
      default:
        return false;
    }
  }

  /** The description; where the connection failed, which gRPC describes as "io exception" whatever it was, what failed too. */
  private static String words(Status status) {
    String words = status.getDescription() == null ? "" : status.getDescription();
    Throwable cause = status.getCause();
    return status.getCode() == Status.Code.UNAVAILABLE && cause != null && cause.getMessage() != null ? words + ": " + cause.getMessage() : words;
  }

  /** What a status carries beside its code and words. */
  private static final class Parts {
    private String reason = "";
    private Map<String, String> metadata = Map.of();
    private Duration retryAfter = Duration.ZERO;

    static Parts of(Status status, Metadata trailers) {
      Parts parts = new Parts();
      for (Any detail : StatusProto.fromStatusAndTrailers(status, trailers).getDetailsList()) {
        try {
          parts.add(detail);
        } catch (InvalidProtocolBufferException e) {
          continue; // an unreadable detail tells nothing; code and words remain
        }
      }
      return parts;
    }

    private void add(Any detail) throws InvalidProtocolBufferException {
      if (detail.is(ErrorInfo.class)) {
        ErrorInfo info = detail.unpack(ErrorInfo.class);
        if (info.getDomain().equals("headgate")) {
          reason = info.getReason();
          metadata = Map.copyOf(info.getMetadataMap());
        }
      } else if (detail.is(RetryInfo.class)) {
        retryAfter = Times.duration(detail.unpack(RetryInfo.class).getRetryDelay());
      }
    }
  }
}
