// Package filter turns a request's filter and shard into one predicate over the keys of a record.
package filter

import (
	"strings"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// Predicate decides which records a stream gets. It is immutable and safe for concurrent use. It knows nothing of permissions: those are
// checked beside it.
type Predicate struct {
	sources, contexts             *set[string]
	entities, eventTypes, actions *set[string]
	primaryKeys                   *set[int32]
	changedFields                 *set[string]
	exclude                       *set[int32]

	// shardCount 0 means all shards.
	shardIndex, shardCount uint64

	// namesOnly says that nothing but the names of an event is looked at.
	namesOnly bool

	unknown []string
}

// Match says whether the record belongs to the stream. It does not allocate.
//
// An event must match every field of the filter, and the shard. Gap and Erased go to every shard, and what is not known of them counts as
// matching: an empty source, context or entity, and all that only an event has. So a Gap is matched by source and context, an Erased by
// source, context and entity.
func (p *Predicate) Match(kind eventlog.Kind, k *eventlog.Keys) bool {
	switch kind {
	case eventlog.KindEvent:
		return p.matchEvent(k)
	case eventlog.KindErased:
		return p.Wants(k.Source, k.Context) && (k.Entity == "" || p.entities.admits(k.Entity))
	default:
		return p.Wants(k.Source, k.Context)
	}
}

// Wants says whether any record of the tenant can match: when it says no, Match says no to all of them. The empty context stands for the
// records that concern all contexts of the source, the empty source for those that concern all sources. It does not allocate.
func (p *Predicate) Wants(source, context string) bool {
	if source == "" {
		return true
	}
	return p.sources.admits(source) && (context == "" || p.contexts.admits(context))
}

// maxTenants is from how many combinations on Tenants gives up one of the two parts, so that a long filter does not cost its square.
const maxTenants = 64

// Tenants returns the tenants of which records can match. An empty source or context stands for any. Every record with both that matches is of one of them;
// not every record of them matches.
func (p *Predicate) Tenants() (list []eventlog.Tenant) {
	sources, contexts := p.sources.values(), p.contexts.values()
	if len(sources)*len(contexts) > maxTenants {
		sources = []string{""}
	}
	if len(contexts) > maxTenants {
		contexts = []string{""}
	}
	for _, source := range sources {
		for _, context := range contexts {
			list = append(list, eventlog.Tenant{Source: source, Context: context})
		}
	}
	return list
}

// Unknown returns the entities, event types and actions of the filter that are not known ones, sorted, each once. They may be right, as
// names are open sets.
func (p *Predicate) Unknown() []string {
	return append([]string(nil), p.unknown...)
}

func (p *Predicate) matchEvent(k *eventlog.Keys) bool { return p.MatchNames(k) && p.MatchRest(k) }

// MatchNames is the part of Match that looks at the Names of an event, and so says the same of all events of a class.
func (p *Predicate) MatchNames(k *eventlog.Keys) bool {
	return p.sources.admits(k.Source) && p.contexts.admits(k.Context) && p.entities.admits(k.Entity) &&
		p.eventTypes.admits(k.EventType) && p.actions.admits(k.Action)
}

// MatchRest is the other part: an event matches when both do.
func (p *Predicate) MatchRest(k *eventlog.Keys) bool {
	if p.namesOnly {
		return true
	}
	if p.shardCount != 0 && k.Shard%p.shardCount != p.shardIndex {
		return false
	}
	if !p.primaryKeys.empty() && !(k.HasPrimaryKey && p.primaryKeys.has(k.PrimaryKey)) {
		return false
	}
	if k.HasChangedBy && p.exclude.has(k.ChangedBy) {
		return false
	}
	return p.changedFields.empty() || k.Action != actionChanged || p.wroteOne(k.Changed)
}

// wroteOne says whether one of the columns, in the form of Keys.Changed, is one of changedFields. It walks over the columns and not over
// the filter, so that a long filter costs no more than a short one.
func (p *Predicate) wroteOne(columns string) bool {
	if columns == eventlog.ManyChanged {
		return true
	}
	for columns != "" {
		var column string
		column, columns, _ = strings.Cut(columns, "\x00")
		if p.changedFields.has(column) {
			return true
		}
	}
	return false
}

// Compile makes the predicate of a request. f and shard may be nil, which means everything. They are not kept. The error is an *Error.
func Compile(f *headgatev1.Filter, shard *headgatev1.Shard) (*Predicate, error) {
	p := &Predicate{}
	if err := p.takeTexts(f); err != nil {
		return nil, err
	}
	if err := p.takeNumbers(f); err != nil {
		return nil, err
	}
	if err := p.judgeNames(f); err != nil {
		return nil, err
	}
	if err := p.takeShard(shard); err != nil {
		return nil, err
	}
	p.namesOnly = p.shardCount == 0 && p.primaryKeys.empty() && p.exclude.empty() && p.changedFields.empty()
	return p, nil
}
