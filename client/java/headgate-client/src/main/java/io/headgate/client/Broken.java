package io.headgate.client;

import io.grpc.Status;
import io.headgate.v1.Closing;
import java.time.Duration;

/** The end of a stream that another stream can continue. Its message says why, as does its cause if there is one. */
final class Broken extends Exception {
  private static final long serialVersionUID = 1;

  /** How the stream ended. */
  private enum Way { OF_ITSELF, IN_SILENCE, IN_ORDER }

  private final transient Duration after;
  private final Way way;

  /** Ends for an error of the way. */
  Broken(HeadgateException cause) {
    super(cause.getMessage(), cause);
    this.after = cause.retryAfter();
    this.way = cause.code() == Status.Code.DEADLINE_EXCEEDED ? Way.IN_SILENCE : Way.OF_ITSELF;
  }

  private Broken(String message, Duration after, Way way) {
    super(message);
    this.after = after;
    this.way = way;
  }

  /** Tells whether nothing may come any more over the connection of the stream: the gateway was silent, or a save was not answered. */
  boolean byDeadLine() {
    return way == Way.IN_SILENCE;
  }

  /** Tells whether the gateway said that it ends the stream, and why. */
  boolean inOrder() {
    return way == Way.IN_ORDER;
  }

  /** What onRetry is told. */
  Exception told() {
    return getCause() instanceof HeadgateException ? (HeadgateException) getCause() : this;
  }

  /** The gateway's wish how long to wait, zero when it has none. */
  Duration after() {
    return after;
  }

  static Broken silent() {
    return new Broken("the gateway was silent for two heartbeats", Duration.ZERO, Way.IN_SILENCE);
  }

  static Broken ended() {
    return new Broken("the gateway ended the stream", Duration.ZERO, Way.OF_ITSELF);
  }

  /** What a gateway says when it ends a stream that can be continued. */
  static Broken closed(Closing closing) {
    return new Broken(words(closing), Times.duration(closing.getRetryAfter()), Way.IN_ORDER);
  }

  private static String words(Closing closing) {
    switch (closing.getReason()) {
      case REASON_UNSPECIFIED:
        return "the gateway ended the stream";
      case REASON_DRAINING:
        return "the gateway is stopping";
      case REASON_GRANT_CHANGED:
        return "what this reader may read has changed";
      case REASON_CREDENTIAL_EXPIRED:
        return "the credential has expired";
      case REASON_MAX_AGE:
        return "the stream was as old as one may get";
      case REASON_HANDED_OVER:
        return "the shard goes to another member, or its position was moved";
      case REASON_OPERATOR:
        return "an operator ended the stream";
      default:
        return "the gateway ended the stream for reason " + closing.getReasonValue(); // of a newer gateway
    }
  }
}
