package filter

import (
	"maps"
	"slices"
)

// fewValues is up to how many values a scan is no slower than a map.
const fewValues = 8

// set holds the values of one field. It keeps few values in a list and many in a map. nil is the empty set: most fields of most filters are empty, and
// each stream has its own.
type set[T comparable] struct {
	few  []T
	many map[T]struct{}
}

func newSet[T comparable](values []T) *set[T] {
	if len(values) == 0 {
		return nil
	}
	unique := make(map[T]struct{}, len(values))
	var list []T
	for _, v := range values {
		if _, ok := unique[v]; !ok {
			unique[v] = struct{}{}
			list = append(list, v)
		}
	}
	if len(list) <= fewValues {
		return &set[T]{few: list}
	}
	return &set[T]{many: unique}
}

func (s *set[T]) size() int {
	if s == nil {
		return 0
	}
	return len(s.few) + len(s.many)
}

func (s *set[T]) empty() bool { return s == nil }

func (s *set[T]) has(v T) bool {
	if s == nil {
		return false
	}
	if s.many != nil {
		_, ok := s.many[v]
		return ok
	}
	for _, w := range s.few {
		if w == v {
			return true
		}
	}
	return false
}

// values returns what the set holds. Of an empty one that is the zero value, which stands for any.
func (s *set[T]) values() []T {
	switch {
	case s == nil:
		return make([]T, 1)
	case s.many != nil:
		return slices.Collect(maps.Keys(s.many))
	}
	return s.few
}

// admits is how a field of a filter matches: an empty one matches everything.
func (s *set[T]) admits(v T) bool { return s.empty() || s.has(v) }
