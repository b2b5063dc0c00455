package io.headgate.client;

/** The event types that are documented for the CRM, those of lists, extra tables and webhooks apart. The set is open. */
public final class EventTypes {
  /** The event type activity.created. */
  public static final String ACTIVITY_CREATED = "activity.created";

  /** The event type activity.changed. */
  public static final String ACTIVITY_CHANGED = "activity.changed";

  /** The event type activity.deleted. */
  public static final String ACTIVITY_DELETED = "activity.deleted";

  /** The event type associate.created. */
  public static final String ASSOCIATE_CREATED = "associate.created";

  /** The event type associate.changed. */
  public static final String ASSOCIATE_CHANGED = "associate.changed";

  /** The event type associate.deleted. */
  public static final String ASSOCIATE_DELETED = "associate.deleted";

  /** The event type chatsession.created. */
  public static final String CHAT_SESSION_CREATED = "chatsession.created";

  /** The event type chatsession.message. */
  public static final String CHAT_SESSION_MESSAGE = "chatsession.message";

  /** The event type chatsession.changed. */
  public static final String CHAT_SESSION_CHANGED = "chatsession.changed";

  /** The event type contact.created. */
  public static final String CONTACT_CREATED = "contact.created";

  /** The event type contact.changed. */
  public static final String CONTACT_CHANGED = "contact.changed";

  /** The event type contact.deleted. */
  public static final String CONTACT_DELETED = "contact.deleted";

  /** The event type contact.softdeleted. */
  public static final String CONTACT_SOFT_DELETED = "contact.softdeleted";

  /** The event type document.created. */
  public static final String DOCUMENT_CREATED = "document.created";

  /** The event type document.changed. */
  public static final String DOCUMENT_CHANGED = "document.changed";

  /** The event type document.deleted. */
  public static final String DOCUMENT_DELETED = "document.deleted";

  /** The event type document.edited. */
  public static final String DOCUMENT_EDITED = "document.edited";

  /** The event type person.created. */
  public static final String PERSON_CREATED = "person.created";

  /** The event type person.changed. */
  public static final String PERSON_CHANGED = "person.changed";

  /** The event type person.deleted. */
  public static final String PERSON_DELETED = "person.deleted";

  /** The event type person.softdeleted. */
  public static final String PERSON_SOFT_DELETED = "person.softdeleted";

  /** The event type person.consented. */
  public static final String PERSON_CONSENTED = "person.consented";

  /** The event type person.unconsented. */
  public static final String PERSON_UNCONSENTED = "person.unconsented";

  /** The event type project.created. */
  public static final String PROJECT_CREATED = "project.created";

  /** The event type project.changed. */
  public static final String PROJECT_CHANGED = "project.changed";

  /** The event type project.deleted. */
  public static final String PROJECT_DELETED = "project.deleted";

  /** The event type projectmember.created. */
  public static final String PROJECT_MEMBER_CREATED = "projectmember.created";

  /** The event type projectmember.changed. */
  public static final String PROJECT_MEMBER_CHANGED = "projectmember.changed";

  /** The event type projectmember.deleted. */
  public static final String PROJECT_MEMBER_DELETED = "projectmember.deleted";

  /** The event type quote.approved. */
  public static final String QUOTE_APPROVED = "quote.approved";

  /** The event type quote.rejected. */
  public static final String QUOTE_REJECTED = "quote.rejected";

  /** The event type quote.sent. */
  public static final String QUOTE_SENT = "quote.sent";

  /** The event type quote.ordered. */
  public static final String QUOTE_ORDERED = "quote.ordered";

  /** The event type relation.created. */
  public static final String RELATION_CREATED = "relation.created";

  /** The event type relation.changed. */
  public static final String RELATION_CHANGED = "relation.changed";

  /** The event type relation.deleted. */
  public static final String RELATION_DELETED = "relation.deleted";

  /** The event type sale.created. */
  public static final String SALE_CREATED = "sale.created";

  /** The event type sale.changed. */
  public static final String SALE_CHANGED = "sale.changed";

  /** The event type sale.deleted. */
  public static final String SALE_DELETED = "sale.deleted";

  /** The event type sale.sold. */
  public static final String SALE_SOLD = "sale.sold";

  /** The event type sale.lost. */
  public static final String SALE_LOST = "sale.lost";

  /** The event type sale.completed. */
  public static final String SALE_COMPLETED = "sale.completed";

  /** The event type salestakeholder.created. */
  public static final String SALE_STAKEHOLDER_CREATED = "salestakeholder.created";

  /** The event type salestakeholder.changed. */
  public static final String SALE_STAKEHOLDER_CHANGED = "salestakeholder.changed";

  /** The event type salestakeholder.deleted. */
  public static final String SALE_STAKEHOLDER_DELETED = "salestakeholder.deleted";

  /** The event type ticket.created. */
  public static final String TICKET_CREATED = "ticket.created";

  /** The event type ticket.changed. */
  public static final String TICKET_CHANGED = "ticket.changed";

  private EventTypes() {}
}
