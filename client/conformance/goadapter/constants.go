package main

import "github.com/headgate/headgate/client"

// constants is the answer to the request for them: all that package client has.
var constants = line{
	"kind": "constants",
	"entities": []string{
		client.EntityActivity, client.EntityAssociate, client.EntityChatSession, client.EntityContact, client.EntityDocument,
		client.EntityPerson, client.EntityProject, client.EntityProjectMember, client.EntityQuote, client.EntityRelation,
		client.EntitySale, client.EntitySaleStakeholder, client.EntityTicket,
	},
	"actions": []string{
		client.ActionApproved, client.ActionChanged, client.ActionCompleted, client.ActionConsented, client.ActionCreated,
		client.ActionDeleted, client.ActionEdited, client.ActionErrors, client.ActionLost, client.ActionMessage, client.ActionOrdered,
		client.ActionRejected, client.ActionSent, client.ActionSoftDeleted, client.ActionSold, client.ActionStarted, client.ActionStopped,
		client.ActionUnconsented,
	},
	"event_types": []string{
		client.EventActivityCreated, client.EventActivityChanged, client.EventActivityDeleted, client.EventAssociateCreated,
		client.EventAssociateChanged, client.EventAssociateDeleted, client.EventChatSessionCreated, client.EventChatSessionMessage,
		client.EventChatSessionChanged, client.EventContactCreated, client.EventContactChanged, client.EventContactDeleted,
		client.EventContactSoftDeleted, client.EventDocumentCreated, client.EventDocumentChanged, client.EventDocumentDeleted,
		client.EventDocumentEdited, client.EventPersonCreated, client.EventPersonChanged, client.EventPersonDeleted,
		client.EventPersonSoftDeleted, client.EventPersonConsented, client.EventPersonUnconsented, client.EventProjectCreated,
		client.EventProjectChanged, client.EventProjectDeleted, client.EventProjectMemberCreated, client.EventProjectMemberChanged,
		client.EventProjectMemberDeleted, client.EventQuoteApproved, client.EventQuoteRejected, client.EventQuoteSent,
		client.EventQuoteOrdered, client.EventRelationCreated, client.EventRelationChanged, client.EventRelationDeleted,
		client.EventSaleCreated, client.EventSaleChanged, client.EventSaleDeleted, client.EventSaleSold, client.EventSaleLost,
		client.EventSaleCompleted, client.EventSaleStakeholderCreated, client.EventSaleStakeholderChanged,
		client.EventSaleStakeholderDeleted, client.EventTicketCreated, client.EventTicketChanged,
	},
	"reasons": []string{
		client.ReasonStartRequired, client.ReasonFilterInvalid, client.ReasonCursorMalformed, client.ReasonCursorExpired,
		client.ReasonCursorForeign, client.ReasonEventNotFound, client.ReasonSubscriptionNotFound, client.ReasonSubscriptionExists,
		client.ReasonSubscriptionMismatch, client.ReasonLeaseLost, client.ReasonCursorBehind,
		client.ReasonUnauthenticated, client.ReasonContextForbidden, client.ReasonRawBodyForbidden, client.ReasonOperatorOnly,
		client.ReasonDraining, client.ReasonUnavailable, client.ReasonLimit, client.ReasonDataLoss,
	},
}
