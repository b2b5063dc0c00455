package access

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAllows(t *testing.T) {
	relations := Rule{Sources: []string{"acme"}, Entities: []string{"relation"}}
	for _, c := range []struct {
		name  string
		rules []Rule
		event [4]string
		want  bool
	}{
		{"no rules", nil, [4]string{"acme", "Cust1", "relation", "created"}, false},
		{"all that matches", []Rule{relations}, [4]string{"acme", "Cust1", "relation", "created"}, true},
		{"another source", []Rule{relations}, [4]string{"globex", "Cust1", "relation", "created"}, false},
		{"another entity", []Rule{relations}, [4]string{"acme", "Cust1", "associate", "created"}, false},
		{"case counts", []Rule{relations}, [4]string{"Acme", "Cust1", "relation", "created"}, false},
		{"a longer name", []Rule{relations}, [4]string{"acme2", "Cust1", "relation", "created"}, false},
		{"an empty name", []Rule{relations}, [4]string{"", "Cust1", "relation", "created"}, false},
		{"rules do not mix", []Rule{relations, {Sources: []string{"globex"}}}, [4]string{"acme", "Cust1", "associate", "created"}, false},
		{"the second rule", []Rule{relations, {Sources: []string{"globex"}}}, [4]string{"globex", "Default", "sale", "sold"}, true},
		{"a context", []Rule{{Contexts: []string{"Cust1", "Cust2"}}}, [4]string{"acme", "Cust2", "sale", "sold"}, true},
		{"no such context", []Rule{{Contexts: []string{"Cust1", "Cust2"}}}, [4]string{"acme", "Cust21", "sale", "sold"}, false},
		{"an action", []Rule{{Actions: []string{"created"}}}, [4]string{"acme", "Cust1", "sale", "created"}, true},
		{"another action", []Rule{{Actions: []string{"created"}}}, [4]string{"acme", "Cust1", "sale", "changed"}, false},
	} {
		g := NewGrant(c.rules, false)
		if got := g.Allows(c.event[0], c.event[1], c.event[2], c.event[3]); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if zero := (&Grant{}); zero.Allows("a", "b", "c", "d") || zero.Concerns("", "", "", "") || zero.Everything() || zero.Operator() {
		t.Error("the zero grant allows something")
	}
}

// TestConcerns: a gap of a source concerns who may read some of it, whatever that is.
func TestConcerns(t *testing.T) {
	g := NewGrant([]Rule{{Sources: []string{"acme"}, Contexts: []string{"Cust1"}, Entities: []string{"relation"}, Actions: []string{"created"}}}, false)
	for _, c := range []struct {
		of   [4]string
		want bool
	}{
		{[4]string{"", "", "", ""}, true},
		{[4]string{"acme", "", "", ""}, true},
		{[4]string{"", "Cust1", "", ""}, true},
		{[4]string{"acme", "Cust1", "relation", "created"}, true},
		{[4]string{"globex", "", "", ""}, false},
		{[4]string{"acme", "Cust2", "", ""}, false},
		{[4]string{"", "", "sale", ""}, false},
		{[4]string{"", "", "", "changed"}, false},
	} {
		if got := g.Within([]string{"nowhere", c.of[0]})(c.of[1], c.of[2], c.of[3]); got != c.want {
			t.Errorf("within %v: %v", c.of, got)
		}
		if got := g.Within(nil)(c.of[1], c.of[2], c.of[3]); got != g.Concerns("", c.of[1], c.of[2], c.of[3]) {
			t.Errorf("of any source, %v: %v", c.of[1:], got)
		}
		if got := g.Concerns(c.of[0], c.of[1], c.of[2], c.of[3]); got != c.want {
			t.Errorf("%q: %v", c.of, got)
		}
	}
	if NewGrant(nil, true).Concerns("", "", "", "") {
		t.Error("an operator without rules may read something")
	}
}

func TestRawBodyIsOfItsRule(t *testing.T) {
	g := NewGrant([]Rule{{Sources: []string{"acme"}}, {Sources: []string{"acme"}, Entities: []string{"relation"}, RawBody: true}}, false)
	if !g.AllowsRaw("acme", "Cust1", "relation", "created") || g.AllowsRaw("acme", "Cust1", "sale", "created") || !g.Allows("acme", "Cust1", "sale", "created") {
		t.Error("raw_body holds for more or less than its own line")
	}
}

func TestEverything(t *testing.T) {
	for _, c := range []struct {
		rules []Rule
		want  bool
	}{
		{nil, false},
		{[]Rule{{}}, true},
		{[]Rule{{Sources: []string{"*"}}}, true},
		{[]Rule{{Sources: []string{"a", "**"}, Actions: []string{"*"}}}, true},
		{[]Rule{{Sources: []string{"a*"}}}, false},
		{[]Rule{{Sources: []string{""}}}, false},
		{[]Rule{{Actions: []string{"created"}}, {Entities: []string{"sale"}}}, false},
	} {
		if got := NewGrant(c.rules, false).Everything(); got != c.want {
			t.Errorf("%v: %v", c.rules, got)
		}
	}
	if g := Everything(); !g.Everything() || !g.Operator() || !g.AllowsRaw("a", "b", "c", "d") {
		t.Error("Everything is less")
	}
}

// TestSameWords: streams go on only under a grant in the same words. None may pass for another.
func TestSameWords(t *testing.T) {
	grants := []*Grant{
		NewGrant(nil, false), NewGrant(nil, true), NewGrant([]Rule{{}}, false), NewGrant([]Rule{{RawBody: true}}, false),
		NewGrant([]Rule{{Sources: []string{"a", "b"}}}, false), NewGrant([]Rule{{Sources: []string{"a*b"}}}, false),
		NewGrant([]Rule{{Sources: []string{"a b"}}}, false), NewGrant([]Rule{{Sources: []string{"a]*[b"}}}, false),
		NewGrant([]Rule{{Sources: []string{"a"}, Contexts: []string{"b"}}}, false), NewGrant([]Rule{{Contexts: []string{"a", "b"}}}, false),
		NewGrant([]Rule{{Sources: []string{"a"}}, {Sources: []string{"b"}}}, false),
	}
	for i, a := range grants {
		for j, b := range grants {
			if (a.words == b.words) != (i == j) {
				t.Errorf("grants %d and %d: the same is %v", i, j, a.words == b.words)
			}
		}
	}
}

// Few letters, so that patterns match often.
var (
	names    = rapid.StringOfN(rapid.RuneFrom([]rune("ab.")), 0, 6, -1)
	patternG = rapid.StringOfN(rapid.RuneFrom([]rune("ab.*")), 0, 6, -1)
)

func TestPatternProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, name := patternG.Draw(t, "pattern"), names.Draw(t, "name")
		reference := regexp.MustCompile(`^` + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`) + `$`)
		if got, want := newPatterns([]string{text}).match(name), reference.MatchString(name); got != want {
			t.Fatalf("%q matches %q: %v, want %v", text, name, got, want)
		}
	})
}

func ruleG(t *rapid.T) Rule {
	list := rapid.SliceOfN(patternG, 0, 2)
	return Rule{
		Sources: list.Draw(t, "sources"), Contexts: list.Draw(t, "contexts"), Entities: list.Draw(t, "entities"), Actions: list.Draw(t, "actions"),
		RawBody: rapid.Bool().Draw(t, "raw"),
	}
}

// TestGrantProperty: what may be read concerns, with any part left out; what may be read raw may be read; everything is everything.
func TestGrantProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		for range rapid.IntRange(0, 3).Draw(t, "rules") {
			rules = append(rules, ruleG(t))
		}
		g := NewGrant(rules, false)
		of := [4]string{names.Draw(t, "source"), names.Draw(t, "context"), names.Draw(t, "entity"), names.Draw(t, "action")}
		allowed := g.Allows(of[0], of[1], of[2], of[3])
		if g.AllowsRaw(of[0], of[1], of[2], of[3]) && !allowed {
			t.Fatal("raw is more than the event")
		}
		if g.Everything() && !allowed {
			t.Fatal("everything is not this")
		}
		if (len(rules) > 0) != g.Concerns("", "", "", "") {
			t.Fatal("a grant with rules concerns nothing, or one without concerns something")
		}
		for mask := range 16 {
			part := of
			for i := range part {
				if mask>>i&1 == 1 {
					part[i] = ""
				}
			}
			if allowed && !g.Concerns(part[0], part[1], part[2], part[3]) {
				t.Fatalf("%q may be read and %q does not concern", of, part)
			}
		}
		if named := of[0] != "" && of[1] != "" && of[2] != "" && of[3] != ""; named && allowed != g.Concerns(of[0], of[1], of[2], of[3]) {
			t.Fatal("with all parts named, Concerns is not Allows")
		}
	})
}

func BenchmarkAllows(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		var rules []Rule
		for i := range n {
			rules = append(rules, Rule{Sources: []string{"acme*"}, Contexts: []string{fmt.Sprintf("Cust%d", i)}, Entities: []string{"relation", "associate"}})
		}
		g := NewGrant(rules, false)
		last := fmt.Sprintf("Cust%d", n-1)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !g.Allows("acme", last, "relation", "created") {
					b.Fatal("refused")
				}
			}
		})
	}
}

func TestAllowsDoesNotAllocate(t *testing.T) {
	g := NewGrant([]Rule{{Sources: []string{"x"}}, {Sources: []string{"a*e"}, Contexts: []string{"Cust*"}, Entities: []string{"*la*"}, RawBody: true}}, false)
	if n := testing.AllocsPerRun(100, func() {
		_ = g.Allows("acme", "Cust1", "relation", "created") && g.AllowsRaw("acme", "Cust1", "relation", "created") && g.Concerns("acme", "", "relation", "")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
