package filter

import (
	"maps"
	"slices"
	"strings"
)

const actionChanged = "changed"

// documented holds the entities that the vendor's webhook reference (docs.superoffice.com, automation, webhook) documents, with the actions
// that it documents for each. Nothing here is guessed: an entity that is never announced as deleted has no "deleted".
//
// The state events of a webhook are subscribed to as webhook<id>.errors, but their body says "webhook.errors". The reference also has
// lists (list.<name or id>.created, changed, softdeleted) and extra tables (y_<name>.created, changed, deleted): see openEntity.
// The event "test" is not here, as no stream carries it.
//
// To add an entity, add a line.
var documented = map[string][]string{
	"activity":        {"created", "changed", "deleted"},
	"associate":       {"created", "changed", "deleted"},
	"chatsession":     {"created", "changed", "message"},
	"contact":         {"created", "changed", "deleted", "softdeleted"},
	"document":        {"created", "changed", "deleted", "edited"},
	"person":          {"created", "changed", "deleted", "softdeleted", "consented", "unconsented"},
	"project":         {"created", "changed", "deleted"},
	"projectmember":   {"created", "changed", "deleted"},
	"quote":           {"approved", "ordered", "rejected", "sent"},
	"relation":        {"created", "changed", "deleted"},
	"sale":            {"created", "changed", "deleted", "completed", "lost", "sold"},
	"salestakeholder": {"created", "changed", "deleted"},
	"ticket":          {"created", "changed"},
	"webhook":         {"errors", "started", "stopped"},
}

// All sorted, all distinct.
var entityNames, eventTypeNames, actionNames = vocabulary()

func vocabulary() (entities, eventTypes, actions []string) {
	entities = slices.Sorted(maps.Keys(documented))
	for _, e := range entities {
		for _, a := range documented[e] {
			eventTypes = append(eventTypes, e+"."+a)
			actions = append(actions, a)
		}
	}
	slices.Sort(eventTypes)
	slices.Sort(actions)
	return entities, eventTypes, slices.Compact(actions)
}

// KnownEntities returns the documented entities, sorted. Lists (list.*), extra tables (y_*) and numbered webhooks (webhook*) are known too but not
// listed, as their names are up to each installation.
func KnownEntities() []string { return slices.Clone(entityNames) }

// KnownEventTypes returns the documented event types, sorted, without those of lists, extra tables and numbered webhooks.
func KnownEventTypes() []string { return slices.Clone(eventTypeNames) }

// KnownActions returns the documented actions, sorted.
func KnownActions() []string { return slices.Clone(actionNames) }

func knownEntity(name string) bool { return contains(entityNames, name) || openEntity(name) }

func knownAction(name string) bool { return contains(actionNames, name) }

func knownEventType(name string) bool {
	if contains(eventTypeNames, name) {
		return true
	}
	entity, action, ok := splitEventType(name)
	return ok && openEntity(entity) && knownAction(action)
}

// openEntity says whether the name is one of a documented kind whose names are up to each installation.
func openEntity(name string) bool {
	for _, prefix := range [...]string{"list.", "y_"} {
		if len(name) > len(prefix) && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	id, numbered := strings.CutPrefix(name, "webhook")
	return numbered && id != "" && strings.Trim(id, "0123456789") == ""
}

// splitEventType cuts at the last dot, as list.category.created is of the entity list.category. ok is false without a dot.
func splitEventType(name string) (entity, action string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}

func contains(sorted []string, name string) bool {
	_, ok := slices.BinarySearch(sorted, name)
	return ok
}

// bothSpellings adds to the column names the other spelling of the one column that the CRM spells in two ways.
func bothSpellings(columns []string) []string {
	const documentedAs, sentAs = "associate_id", "associateId"
	for _, c := range columns {
		if c == documentedAs || c == sentAs {
			return append(slices.Clone(columns), documentedAs, sentAs)
		}
	}
	return columns
}
