package filter_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/filter"
)

func texts(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprintf("y_%d", i)
	}
	return s
}

// refusal compiles and returns the error, which must be an *Error.
func refusal(t *testing.T, f *headgatev1.Filter, s *headgatev1.Shard) *filter.Error {
	t.Helper()
	p, err := filter.Compile(f, s)
	if err == nil {
		t.Fatalf("Compile accepted it; unknown names: %q", p.Unknown())
	}
	var e *filter.Error
	if p != nil || !errors.As(err, &e) || err.Error() != e.Field+": "+e.Problem {
		t.Fatalf("Compile = %v, %T %v", p, err, err)
	}
	return e
}

func TestLimitsOfTextFields(t *testing.T) {
	for field, set := range map[string]func(f *headgatev1.Filter, v []string){
		"filter.entities":       func(f *headgatev1.Filter, v []string) { f.Entities = v },
		"filter.event_types":    func(f *headgatev1.Filter, v []string) { f.EventTypes = v },
		"filter.actions":        func(f *headgatev1.Filter, v []string) { f.Actions = v },
		"filter.contexts":       func(f *headgatev1.Filter, v []string) { f.Contexts = v },
		"filter.sources":        func(f *headgatev1.Filter, v []string) { f.Sources = v },
		"filter.changed_fields": func(f *headgatev1.Filter, v []string) { f.ChangedFields = v },
	} {
		for _, tc := range []struct {
			name, problem string
			values        []string
		}{
			{"at the limit", "", append(texts(999), "associate_id")},
			{"too many", "1001 values; give at most 1000", texts(1001)},
			{"too many duplicates", "1001 values", slices.Repeat([]string{"y_a"}, 1001)},
			{"duplicates", "", []string{"y_a", "y_a"}},
			{"empty", "Value 2 is empty", []string{"y_a", ""}},
			{"as long as may be", "", []string{strings.Repeat("z", 256)}},
			{"too long", "257 bytes; give at most 256", []string{strings.Repeat("z", 257)}},
			{"bad UTF-8", "not valid UTF-8", []string{"y_\xff"}},
			{"NUL", "contains a NUL", []string{"y_\x00a"}},
			{"not ASCII", "", []string{"y_søppel"}},
		} {
			t.Run(field+"/"+tc.name, func(t *testing.T) {
				f := &headgatev1.Filter{}
				set(f, tc.values)
				if tc.problem == "" {
					compile(t, f, nil)
					return
				}
				if e := refusal(t, f, nil); e.Field != field || !strings.Contains(e.Problem, tc.problem) {
					t.Errorf("refused with %v", e)
				}
			})
		}
	}
}

func TestLimitsOfNumberFields(t *testing.T) {
	for field, set := range map[string]func(f *headgatev1.Filter, v []int32){
		"filter.primary_keys":                     func(f *headgatev1.Filter, v []int32) { f.PrimaryKeys = v },
		"filter.exclude_changed_by_associate_ids": func(f *headgatev1.Filter, v []int32) { f.ExcludeChangedByAssociateIds = v },
	} {
		for _, tc := range []struct {
			name, problem     string
			sources, contexts []string
			n                 int
		}{
			{"at the limit", "", []string{"a"}, []string{"b"}, 1000},
			{"too many", "1001 values", []string{"a"}, []string{"b"}, 1001},
			{"tenant named twice", "", []string{"a", "a"}, []string{"b", "b"}, 1},
			{"no source", "0 and 1", nil, []string{"b"}, 1},
			{"no context", "1 and 0", []string{"a"}, nil, 1},
			{"two sources", "2 and 1", []string{"a", "b"}, []string{"b"}, 1},
			{"many contexts", "1 and 20", []string{"a"}, texts(20), 1},
			{"no numbers need no tenant", "", []string{"a", "b"}, nil, 0},
		} {
			t.Run(field+"/"+tc.name, func(t *testing.T) {
				f := &headgatev1.Filter{Sources: tc.sources, Contexts: tc.contexts}
				set(f, numbers(tc.n))
				if tc.problem == "" {
					compile(t, f, nil)
					return
				}
				if e := refusal(t, f, nil); e.Field != field || !strings.Contains(e.Problem, tc.problem) {
					t.Errorf("refused with %v", e)
				}
			})
		}
	}
}

func TestLimitsOfShard(t *testing.T) {
	for _, tc := range []struct {
		index, count uint32
		field        string
	}{
		{0, 1, ""},
		{1023, 1024, ""},
		{0, 0, "shard.count"},
		{0, 1025, "shard.count"},
		{4, 4, "shard.index"},
		{1 << 31, 4, "shard.index"},
	} {
		t.Run(fmt.Sprintf("%d of %d", tc.index, tc.count), func(t *testing.T) {
			s := &headgatev1.Shard{Index: tc.index, Count: tc.count}
			if tc.field == "" {
				compile(t, nil, s)
				return
			}
			if e := refusal(t, nil, s); e.Field != tc.field {
				t.Errorf("refused with %v", e)
			}
		})
	}
}
