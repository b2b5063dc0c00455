package io.headgate.client;

/** The actions that are documented for the CRM. The set is open. */
public final class Actions {
  /** The action approved. */
  public static final String APPROVED = "approved";

  /** The action changed. */
  public static final String CHANGED = "changed";

  /** The action completed. */
  public static final String COMPLETED = "completed";

  /** The action consented. */
  public static final String CONSENTED = "consented";

  /** The action created. */
  public static final String CREATED = "created";

  /** The action deleted. */
  public static final String DELETED = "deleted";

  /** The action edited. */
  public static final String EDITED = "edited";

  /** The action errors. */
  public static final String ERRORS = "errors";

  /** The action lost. */
  public static final String LOST = "lost";

  /** The action message. */
  public static final String MESSAGE = "message";

  /** The action ordered. */
  public static final String ORDERED = "ordered";

  /** The action rejected. */
  public static final String REJECTED = "rejected";

  /** The action sent. */
  public static final String SENT = "sent";

  /** The action softdeleted. */
  public static final String SOFT_DELETED = "softdeleted";

  /** The action sold. */
  public static final String SOLD = "sold";

  /** The action started. */
  public static final String STARTED = "started";

  /** The action stopped. */
  public static final String STOPPED = "stopped";

  /** The action unconsented. */
  public static final String UNCONSENTED = "unconsented";

  private Actions() {}
}
