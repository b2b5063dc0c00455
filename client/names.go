package client

// The entities that are documented for the CRM. The set is open: lists are called "list.<name>", extra tables "y_<name>", the webhooks
// themselves "webhook<id>", and a CRM can be configured to announce others.
const (
	EntityActivity        = "activity"
	EntityAssociate       = "associate"
	EntityChatSession     = "chatsession"
	EntityContact         = "contact"
	EntityDocument        = "document"
	EntityPerson          = "person"
	EntityProject         = "project"
	EntityProjectMember   = "projectmember"
	EntityQuote           = "quote"
	EntityRelation        = "relation"
	EntitySale            = "sale"
	EntitySaleStakeholder = "salestakeholder"
	EntityTicket          = "ticket"
)

// The actions that are documented for the CRM. The set is open.
const (
	ActionApproved    = "approved"
	ActionChanged     = "changed"
	ActionCompleted   = "completed"
	ActionConsented   = "consented"
	ActionCreated     = "created"
	ActionDeleted     = "deleted"
	ActionEdited      = "edited"
	ActionErrors      = "errors"
	ActionLost        = "lost"
	ActionMessage     = "message"
	ActionOrdered     = "ordered"
	ActionRejected    = "rejected"
	ActionSent        = "sent"
	ActionSoftDeleted = "softdeleted"
	ActionSold        = "sold"
	ActionStarted     = "started"
	ActionStopped     = "stopped"
	ActionUnconsented = "unconsented"
)

// The event types that are documented for the CRM, those of lists, extra tables and webhooks apart. The set is open.
const (
	EventActivityCreated = "activity.created"
	EventActivityChanged = "activity.changed"
	EventActivityDeleted = "activity.deleted"

	EventAssociateCreated = "associate.created"
	EventAssociateChanged = "associate.changed"
	EventAssociateDeleted = "associate.deleted"

	EventChatSessionCreated = "chatsession.created"
	EventChatSessionMessage = "chatsession.message"
	EventChatSessionChanged = "chatsession.changed"

	EventContactCreated     = "contact.created"
	EventContactChanged     = "contact.changed"
	EventContactDeleted     = "contact.deleted"
	EventContactSoftDeleted = "contact.softdeleted"

	EventDocumentCreated = "document.created"
	EventDocumentChanged = "document.changed"
	EventDocumentDeleted = "document.deleted"
	EventDocumentEdited  = "document.edited"

	EventPersonCreated     = "person.created"
	EventPersonChanged     = "person.changed"
	EventPersonDeleted     = "person.deleted"
	EventPersonSoftDeleted = "person.softdeleted"
	EventPersonConsented   = "person.consented"
	EventPersonUnconsented = "person.unconsented"

	EventProjectCreated = "project.created"
	EventProjectChanged = "project.changed"
	EventProjectDeleted = "project.deleted"

	EventProjectMemberCreated = "projectmember.created"
	EventProjectMemberChanged = "projectmember.changed"
	EventProjectMemberDeleted = "projectmember.deleted"

	EventQuoteApproved = "quote.approved"
	EventQuoteRejected = "quote.rejected"
	EventQuoteSent     = "quote.sent"
	EventQuoteOrdered  = "quote.ordered"

	EventRelationCreated = "relation.created"
	EventRelationChanged = "relation.changed"
	EventRelationDeleted = "relation.deleted"

	EventSaleCreated   = "sale.created"
	EventSaleChanged   = "sale.changed"
	EventSaleDeleted   = "sale.deleted"
	EventSaleSold      = "sale.sold"
	EventSaleLost      = "sale.lost"
	EventSaleCompleted = "sale.completed"

	EventSaleStakeholderCreated = "salestakeholder.created"
	EventSaleStakeholderChanged = "salestakeholder.changed"
	EventSaleStakeholderDeleted = "salestakeholder.deleted"

	EventTicketCreated = "ticket.created"
	EventTicketChanged = "ticket.changed"
)
