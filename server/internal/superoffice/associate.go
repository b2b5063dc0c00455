package superoffice

import (
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

type associate = headgatev1.AssociateEvent

// associateFields are the keys of a user of the CRM.
var associateFields = []field[associate]{
	{keys: []string{"associate_id"}, set: integerField(func(m *associate) **int32 { return &m.AssociateId })},
	{keys: []string{"deleted"}, set: flagField(func(m *associate) **bool { return &m.Deleted })},
	{keys: []string{"group_idx"}, set: integerField(func(m *associate) **int32 { return &m.GroupIdx })},
	{keys: []string{"person_id"}, set: integerField(func(m *associate) **int32 { return &m.PersonId })},
	{keys: []string{"registered_associate_id"}, set: integerField(func(m *associate) **int32 { return &m.RegisteredAssociateId })},
	{keys: []string{"type"}, set: integerField(func(m *associate) **int32 { return &m.Type })},
	{keys: []string{"updated"}, set: dateField(func(m *associate) **timestamppb.Timestamp { return &m.Updated })},
	{keys: []string{"updated_associate_id"}, set: integerField(func(m *associate) **int32 { return &m.UpdatedAssociateId })},
	{keys: []string{"waiting_for_approval"}, set: flagField(func(m *associate) **bool { return &m.WaitingForApproval })},
}

func setAssociate(ev *headgatev1.Event, b *body, src *Source) {
	m := &associate{}
	fill(m, associateFields, b, src.Location)
	ev.Payload = &headgatev1.Event_Associate{Associate: m}
}
