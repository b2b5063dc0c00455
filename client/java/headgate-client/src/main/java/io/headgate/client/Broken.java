package io.headgate.client;

import io.headgate.v1.Closing;
import java.time.Duration;

/** The end of a stream that another stream can continue. Its message says why, as does its cause if there is one. */
final class Broken extends Exception {
  private static final long serialVersionUID = 1;

  private final transient Duration after;

  /** Ends for an error of the way. */
  Broken(HeadgateException cause) {
    super(cause.getMessage(), cause);
    this.after = cause.retryAfter();
  }

  private Broken(String message, Duration after) {
    super(message);
    this.after = after;
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
    return new Broken("the gateway was silent for two heartbeats", Duration.ZERO);
  }

  static Broken ended() {
    return new Broken("the gateway ended the stream", Duration.ZERO);
  }

  /** What a gateway says when it ends a stream that can be continued. */
  static Broken closed(Closing closing) {
    return new Broken(words(closing), Times.duration(closing.getRetryAfter()));
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
      default:
        return "the gateway ended the stream for reason " + closing.getReasonValue(); // of a newer gateway
    }
  }
}
