package io.headgate.client;

/** The entities that are documented for the CRM. The set is open: lists are called "list.NAME", extra tables "y_NAME", the webhooks themselves
 * "webhookID", and a CRM can be configured to announce others. */
public final class Entities {
  /** The entity activity. */
  public static final String ACTIVITY = "activity";

  /** The entity associate. */
  public static final String ASSOCIATE = "associate";

  /** The entity chatsession. */
  public static final String CHAT_SESSION = "chatsession";

  /** The entity contact. */
  public static final String CONTACT = "contact";

  /** The entity document. */
  public static final String DOCUMENT = "document";

  /** The entity person. */
  public static final String PERSON = "person";

  /** The entity project. */
  public static final String PROJECT = "project";

  /** The entity projectmember. */
  public static final String PROJECT_MEMBER = "projectmember";

  /** The entity quote. */
  public static final String QUOTE = "quote";

  /** The entity relation. */
  public static final String RELATION = "relation";

  /** The entity sale. */
  public static final String SALE = "sale";

  /** The entity salestakeholder. */
  public static final String SALE_STAKEHOLDER = "salestakeholder";

  /** The entity ticket. */
  public static final String TICKET = "ticket";

  private Entities() {}
}
