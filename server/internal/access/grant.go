// Package access tells readers apart and knows what each may read: credentials → principal → grant. Whoever is not known reads nothing.
package access

import (
	"fmt"
	"slices"
	"strings"
)

// Grant is what a reader may read. It is immutable and safe for concurrent use. The zero value allows nothing.
type Grant struct {
	rules    []rule
	operator bool
	// words is the same for two grants that allow the same in the same words.
	words string
}

// Rule is one line of a grant: what matches every part of it may be read. A part without patterns matches everything. In a pattern * stands for any
// text; all else is compared exactly.
type Rule struct {
	Sources, Contexts, Entities, Actions []string
	// RawBody: the CRM's request body may be read too.
	RawBody bool
}

type rule struct {
	sources, contexts, entities, actions patterns
	rawBody                              bool
}

// NewGrant makes a grant of rules. An operator may also use AdminService.
func NewGrant(rules []Rule, operator bool) *Grant {
	g := &Grant{operator: operator}
	for _, r := range rules {
		g.rules = append(g.rules, rule{
			sources: newPatterns(r.Sources), contexts: newPatterns(r.Contexts), entities: newPatterns(r.Entities), actions: newPatterns(r.Actions),
			rawBody: r.RawBody,
		})
	}
	g.words = fmt.Sprintf("%v %#v", g.operator, g.rules)
	return g
}

// Everything is the grant of a gateway without readers, which serves loopback only.
func Everything() *Grant { return NewGrant([]Rule{{RawBody: true}}, true) }

// Allows says whether an event may be read.
func (g *Grant) Allows(source, context, entity, action string) bool {
	for i := range g.rules {
		if g.rules[i].allows(source, context, entity, action) {
			return true
		}
	}
	return false
}

func (r *rule) allows(source, context, entity, action string) bool {
	return r.sources.match(source) && r.contexts.match(context) && r.entities.match(entity) && r.actions.match(action)
}

// Concerns says whether any event of the source, context, entity and action may be read. An empty part stands for all there are: a gap of all contexts
// of a source concerns everybody who may read some context of it.
func (g *Grant) Concerns(source, context, entity, action string) bool {
	for i := range g.rules {
		if r := &g.rules[i]; r.sources.concern(source) && r.contexts.concern(context) && r.entities.concern(entity) && r.actions.concern(action) {
			return true
		}
	}
	return false
}

// Within is Concerns for any of the sources, or for all there are when none is named. It looks at the sources once, however often the result is called.
func (g *Grant) Within(sources []string) func(context, entity, action string) bool {
	within := &Grant{}
	for _, r := range g.rules {
		if len(sources) == 0 || slices.ContainsFunc(sources, r.sources.concern) {
			r.sources = nil
			within.rules = append(within.rules, r)
		}
	}
	return func(context, entity, action string) bool { return within.Concerns("", context, entity, action) }
}

// AllowsRaw says whether the CRM's request body of an event may be read.
func (g *Grant) AllowsRaw(source, context, entity, action string) bool {
	for i := range g.rules {
		if r := &g.rules[i]; r.rawBody && r.allows(source, context, entity, action) {
			return true
		}
	}
	return false
}

// Everything says whether all events of all tenants may be read.
func (g *Grant) Everything() bool {
	return slices.ContainsFunc(g.rules, func(r rule) bool {
		return r.sources.all() && r.contexts.all() && r.entities.all() && r.actions.all()
	})
}

// Operator says whether AdminService may be used.
func (g *Grant) Operator() bool { return g.operator }

// patterns are the alternatives of one part.
type patterns []pattern

// all says whether every name matches, as far as can be seen from one pattern.
func (ps patterns) all() bool {
	return len(ps) == 0 || slices.ContainsFunc(ps, func(p pattern) bool { return strings.Join(p, "") == "" && len(p) > 1 })
}

// pattern is the text between its stars.
type pattern []string

func newPatterns(list []string) patterns {
	var ps patterns
	for _, p := range list {
		ps = append(ps, strings.Split(p, "*"))
	}
	return ps
}

// match says whether the name matches one of the patterns. An empty list sets no bound.
func (ps patterns) match(name string) bool {
	return len(ps) == 0 || slices.ContainsFunc(ps, func(p pattern) bool { return p.match(name) })
}

// concern is match for a name that may be empty, which stands for all there are.
func (ps patterns) concern(name string) bool { return name == "" || ps.match(name) }

func (p pattern) match(name string) bool {
	first, last := p[0], p[len(p)-1]
	if len(p) == 1 {
		return name == first
	}
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, middle := range p[1 : len(p)-1] {
		i := strings.Index(name, middle)
		if i < 0 {
			return false
		}
		name = name[i+len(middle):]
	}
	return true
}
