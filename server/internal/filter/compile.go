package filter

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// The limits of the contract.
const (
	maxValues     = 1000
	maxValueBytes = 256
	maxBytes      = 64 << 10 // of all texts together: a stream keeps its filter for as long as it lives
	maxShards     = 1024
	// maxJudged is how many names that are not known are held against those that are: it is work, and a filter with more of them is no slip.
	maxJudged = 32
)

// Error says what is wrong with a request's filter or shard.
type Error struct {
	// Field is the path of the request field, for example "filter.entities".
	Field string
	// Problem is a sentence with the remedy, for example: "relatoin" is not a known entity; did you mean "relation"?
	Problem string
}

func (e *Error) Error() string { return e.Field + ": " + e.Problem }

func refuse(field, format string, args ...any) error {
	return &Error{Field: field, Problem: fmt.Sprintf(format, args...)}
}

func (p *Predicate) takeTexts(f *headgatev1.Filter) error {
	for _, field := range []struct {
		path   string
		values []string
		set    **set[string]
	}{
		{"filter.entities", f.GetEntities(), &p.entities},
		{"filter.event_types", f.GetEventTypes(), &p.eventTypes},
		{"filter.actions", f.GetActions(), &p.actions},
		{"filter.contexts", f.GetContexts(), &p.contexts},
		{"filter.sources", f.GetSources(), &p.sources},
		{"filter.changed_fields", f.GetChangedFields(), &p.changedFields},
	} {
		if err := checkCount(field.path, len(field.values)); err != nil {
			return err
		}
		for i, v := range field.values {
			if err := checkText(field.path, i, v); err != nil {
				return err
			}
		}
		*field.set = newSet(field.values)
	}
	if n := textBytes(f); n > maxBytes {
		return refuse("filter", "it takes %d bytes and may take %d; read in shards, or filter by entity and context", n, maxBytes)
	}
	p.changedFields = newSet(bothSpellings(f.GetChangedFields()))
	return nil
}

func textBytes(f *headgatev1.Filter) (n int) {
	for _, list := range [][]string{f.GetEntities(), f.GetEventTypes(), f.GetActions(), f.GetContexts(), f.GetSources(), f.GetChangedFields()} {
		for _, v := range list {
			n += len(v)
		}
	}
	return n
}

// takeNumbers needs the sources and contexts: numbers of records and of associates are given out by each tenant for itself.
func (p *Predicate) takeNumbers(f *headgatev1.Filter) error {
	for _, field := range []struct {
		path   string
		values []int32
		set    **set[int32]
	}{
		{"filter.primary_keys", f.GetPrimaryKeys(), &p.primaryKeys},
		{"filter.exclude_changed_by_associate_ids", f.GetExcludeChangedByAssociateIds(), &p.exclude},
	} {
		if err := checkCount(field.path, len(field.values)); err != nil {
			return err
		}
		if len(field.values) > 0 && (p.sources.size() != 1 || p.contexts.size() != 1) {
			return refuse(field.path, "The numbers mean something only within one tenant; name exactly one source and one context in the filter"+
				" too (it names %d and %d).", p.sources.size(), p.contexts.size())
		}
		*field.set = newSet(field.values)
	}
	if n := textBytes(f); n > maxBytes {
		return refuse("filter", "it takes %d bytes and may take %d; read in shards, or filter by entity and context", n, maxBytes)
	}
	return nil
}

// judgeNames refuses names that are nearly known ones and remembers those that are just not known.
func (p *Predicate) judgeNames(f *headgatev1.Filter) error {
	for _, field := range []struct {
		path, noun string
		values     []string
		known      func(string) bool
		near       func(string) (near, bool)
	}{
		{"filter.entities", "entity", f.GetEntities(), knownEntity, nearEntity},
		{"filter.event_types", "event type", f.GetEventTypes(), knownEventType, nearEventType},
		{"filter.actions", "action", f.GetActions(), knownAction, nearAction},
	} {
		for _, name := range field.values {
			if field.known(name) {
				continue
			}
			if strings.Contains(name, ",") {
				return refuse(field.path, "%q holds a comma; give each name as a value of its own", name)
			}
			if len(p.unknown) >= maxJudged {
				p.unknown = append(p.unknown, name)
				continue
			}
			if n, ok := field.near(name); ok {
				return refuse(field.path, "%q is not a known %s; did you mean %q?", name, field.noun, n.name)
			}
			p.unknown = append(p.unknown, name)
		}
	}
	slices.Sort(p.unknown)
	p.unknown = slices.Compact(p.unknown)
	return nil
}

func (p *Predicate) takeShard(s *headgatev1.Shard) error {
	if s == nil {
		return nil
	}
	if s.GetCount() < 1 || s.GetCount() > maxShards {
		return refuse("shard.count", "There cannot be %d parts; say a number from 1 to %d, or leave shard out to read all.", s.GetCount(), maxShards)
	}
	if s.GetIndex() >= s.GetCount() {
		return refuse("shard.index", "There is no part %d of %d; say a number from 0 to %d.", s.GetIndex(), s.GetCount(), s.GetCount()-1)
	}
	p.shardIndex, p.shardCount = uint64(s.GetIndex()), uint64(s.GetCount())
	return nil
}

func checkCount(field string, n int) error {
	if n > maxValues {
		return refuse(field, "It has %d values; give at most %d, or leave it empty to match all.", n, maxValues)
	}
	return nil
}

func checkText(field string, i int, v string) error {
	switch {
	case v == "":
		return refuse(field, "Value %d is empty; remove it, or leave the field empty to match all.", i+1)
	case len(v) > maxValueBytes:
		return refuse(field, "Value %d has %d bytes; give at most %d.", i+1, len(v), maxValueBytes)
	case !utf8.ValidString(v):
		return refuse(field, "Value %d is not valid UTF-8; encode it as UTF-8.", i+1)
	case strings.IndexByte(v, 0) >= 0:
		return refuse(field, "Value %d contains a NUL; no name does, remove it.", i+1)
	}
	return nil
}
