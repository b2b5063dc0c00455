package main

import headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"

// filterFlags say which events. The gateway checks the names: it knows them.
type filterFlags struct {
	Entity           texts   `placeholder:"NAME" help:"Only these entities, for example relation." group:"Which events:"`
	EventType        texts   `placeholder:"NAME" help:"Only these event types, for example relation.created." group:"Which events:"`
	Action           texts   `placeholder:"NAME" help:"Only these actions, for example created." group:"Which events:"`
	Context          texts   `placeholder:"NAME" help:"Only these tenants, for example Cust26759." group:"Which events:"`
	Source           texts   `placeholder:"NAME" help:"Only these sources." group:"Which events:"`
	PrimaryKey       numbers `placeholder:"N" help:"Only these records, of one --source and --context." group:"Which events:"`
	ChangedField     texts   `placeholder:"NAME" help:"Of changes, only those to these columns." group:"Which events:"`
	ExcludeChangedBy numbers `placeholder:"ID" help:"Not what these associates did, in one --source and --context." group:"Which events:"`
}

func (f *filterFlags) filter() *headgatev1.Filter {
	return &headgatev1.Filter{
		Entities:                     f.Entity,
		EventTypes:                   f.EventType,
		Actions:                      f.Action,
		Contexts:                     f.Context,
		Sources:                      f.Source,
		PrimaryKeys:                  f.PrimaryKey,
		ChangedFields:                f.ChangedField,
		ExcludeChangedByAssociateIds: f.ExcludeChangedBy,
	}
}
