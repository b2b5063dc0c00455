package superoffice

import (
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

type relation = headgatev1.RelationEvent

// relationFields are the keys of a link between two records. The CRM documents associate_id and sends associateId.
var relationFields = []field[relation]{
	{keys: []string{"relation_id"}, set: integerField(func(m *relation) **int32 { return &m.RelationId })},
	{keys: []string{"associate_id", "associateId"}, set: integerField(func(m *relation) **int32 { return &m.AssociateId })},
	{keys: []string{"reldef_id"}, set: integerField(func(m *relation) **int32 { return &m.ReldefId })},
	{keys: []string{"source_table"}, set: integerField(func(m *relation) **int32 { return &m.SourceTable })},
	{keys: []string{"source_record"}, set: integerField(func(m *relation) **int32 { return &m.SourceRecord })},
	{keys: []string{"destination_table"}, set: integerField(func(m *relation) **int32 { return &m.DestinationTable })},
	{keys: []string{"destination_record"}, set: integerField(func(m *relation) **int32 { return &m.DestinationRecord })},
	{keys: []string{"registered"}, set: dateField(func(m *relation) **timestamppb.Timestamp { return &m.Registered })},
	{keys: []string{"registered_associate_id"}, set: integerField(func(m *relation) **int32 { return &m.RegisteredAssociateId })},
	{keys: []string{"updated"}, set: dateField(func(m *relation) **timestamppb.Timestamp { return &m.Updated })},
	{keys: []string{"updated_associate_id"}, set: integerField(func(m *relation) **int32 { return &m.UpdatedAssociateId })},
}

func setRelation(ev *headgatev1.Event, b *body, src *Source) {
	m := &relation{}
	fill(m, relationFields, b, src.Location)
	m.SourceEntity = src.entityOf(m.SourceTable)
	m.DestinationEntity = src.entityOf(m.DestinationTable)
	ev.Payload = &headgatev1.Event_Relation{Relation: m}
}
