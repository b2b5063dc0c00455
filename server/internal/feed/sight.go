package feed

import (
	"unique"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// sight is Match for one frame after another. Most are of the same class as the one before, and of a class all are seen or none as far as Names go.
type sight struct {
	view  *view
	class unique.Handle[eventlog.Names]
	names bool // events of class may be seen
}

func (s *sight) match(f *eventlog.Frame) bool {
	if f.Kind != eventlog.KindEvent || f.Class == (unique.Handle[eventlog.Names]{}) {
		return s.view.Match(f.Kind, &f.Keys)
	}
	if f.Class != s.class {
		s.class, s.names = f.Class, s.view.predicate.MatchNames(&f.Keys) && s.view.allows(f.Kind, &f.Keys)
	}
	return s.names && s.view.predicate.MatchRest(&f.Keys)
}
