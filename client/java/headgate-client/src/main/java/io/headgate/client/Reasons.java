package io.headgate.client;

/** The reasons that a gateway gives. A newer one may give others. */
public final class Reasons {
  /** Subscribe without start. Say where to begin. The code is INVALID_ARGUMENT. */
  public static final String START_REQUIRED = "START_REQUIRED";

  /**
   * A value of the request is out of range, a name is misspelt, or a request field or query parameter is unknown; metadata "field" names it. The code is
   * INVALID_ARGUMENT.
   */
  public static final String FILTER_INVALID = "FILTER_INVALID";

  /** The text is not a cursor of any Headgate. The code is INVALID_ARGUMENT. */
  public static final String CURSOR_MALFORMED = "CURSOR_MALFORMED";

  /**
   * Events after the cursor, of the tenants that the caller reads, are no longer kept (REST 410). Metadata "earliest_cursor" says from where on the log is
   * whole. The code is OUT_OF_RANGE.
   */
  public static final String CURSOR_EXPIRED = "CURSOR_EXPIRED";

  /** The cursor is from another log, or from a part of this one that was cut off when it was restored. The code is FAILED_PRECONDITION. */
  public static final String CURSOR_FOREIGN = "CURSOR_FOREIGN";

  /** No event stands at that cursor. The code is NOT_FOUND. */
  public static final String EVENT_NOT_FOUND = "EVENT_NOT_FOUND";

  /** The caller has no subscription of that name. The code is NOT_FOUND. */
  public static final String SUBSCRIPTION_NOT_FOUND = "SUBSCRIPTION_NOT_FOUND";

  /** The caller has a subscription of that name already. The code is ALREADY_EXISTS. */
  public static final String SUBSCRIPTION_EXISTS = "SUBSCRIPTION_EXISTS";

  /** The subscription has another number of shards; metadata "shard_count" says how many. The code is FAILED_PRECONDITION. */
  public static final String SUBSCRIPTION_MISMATCH = "SUBSCRIPTION_MISMATCH";

  /** The lease is not, or no longer, the one in force: another stream is served the shard. Handle nothing more under it. The code is ABORTED. */
  public static final String LEASE_LOST = "LEASE_LOST";

  /** The cursor stands before the saved one. The code is FAILED_PRECONDITION. */
  public static final String CURSOR_BEHIND = "CURSOR_BEHIND";

  /** No credentials, or those of no reader that the server knows. The code is UNAUTHENTICATED. */
  public static final String UNAUTHENTICATED = "UNAUTHENTICATED";

  /**
   * The filter names a source, context, entity or action that the caller may not read, whether it exists or not; metadata "field" and "value" say which.
   * The code is PERMISSION_DENIED.
   */
  public static final String CONTEXT_FORBIDDEN = "CONTEXT_FORBIDDEN";

  /** The caller may read the event but not the CRM's request body. The code is PERMISSION_DENIED. */
  public static final String RAW_BODY_FORBIDDEN = "RAW_BODY_FORBIDDEN";

  /** The method is for operators. The code is PERMISSION_DENIED. */
  public static final String OPERATOR_ONLY = "OPERATOR_ONLY";

  /** The server is stopping. RetryInfo says when to try again. The code is UNAVAILABLE. */
  public static final String DRAINING = "DRAINING";

  /**
   * The log, or the keys of the token's issuer, cannot be read now; or the stream was cut off because its grant ended while nothing was being received.
   * RetryInfo says when to try again. The code is UNAVAILABLE.
   */
  public static final String UNAVAILABLE = "UNAVAILABLE";

  /**
   * The caller, or the server as a whole, has as much open as it is configured to. Metadata "limit" and "allowed" say what, RetryInfo when to try again.
   * The code is RESOURCE_EXHAUSTED.
   */
  public static final String LIMIT = "LIMIT";

  /** The log is damaged at the place to be read; nothing is skipped. An operator must act. The code is DATA_LOSS. */
  public static final String DATA_LOSS = "DATA_LOSS";

  private Reasons() {}
}
