package conformance

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// atOnce is how many behaviours are looked at at the same time: most of them wait most of the time.
const atOnce = 6

// parts are what a client can be without: request fields that it has no counterpart for.
var parts = []string{"address", "store", "subscription", "acknowledge", "constants", "on_lost_cursor", "heartbeat_seconds"}

// behaviour is something that every client must show.
type behaviour struct {
	name  string
	needs []string // of the parts
	show  func(k *kit)
}

// behaviours are the rows of the matrix. The README says what each means.
var behaviours = slices.Concat(reading, resuming, losing, permitting, consuming, pressing)

// kit is what a behaviour has at hand. It fails as the test does.
type kit struct {
	*testing.T
	subject  *subject
	adapters int // started so far
}

// scale is how many of n a short run does.
func scale(n int) int {
	if testing.Short() {
		return max(1, n/10)
	}
	return n
}

func TestConformance(t *testing.T) {
	watch(t)
	all := os.Getenv("CONFORMANCE") == "all"
	for _, s := range subjects(t) {
		t.Run(s.Name, func(t *testing.T) {
			missing, err := s.prepare()
			switch {
			case err != nil:
				noteAll(s, red)
				t.Fatal(err)
			case missing != "" && all:
				noteAll(s, red)
				t.Fatalf("%s is not installed", missing)
			case missing != "":
				noteAll(s, skipped)
				t.Skipf("%s is not installed", missing)
			}
			var g errgroup.Group
			g.SetLimit(atOnce)
			for _, b := range behaviours {
				g.Go(func() error {
					look(t, s, b)
					return nil
				})
			}
			_ = g.Wait()
		})
	}
}

// look runs one behaviour with one client.
func look(t *testing.T, s *subject, b behaviour) {
	if s.lacks(b.needs) {
		results.note(b.name, s.Name, without)
		return
	}
	t.Run(strings.ReplaceAll(b.name, " ", "_"), func(t *testing.T) {
		defer func() {
			result := green
			if t.Failed() {
				result = red
			}
			results.note(b.name, s.Name, result)
		}()
		b.show(&kit{T: t, subject: s})
	})
}

func noteAll(s *subject, result string) {
	for _, b := range behaviours {
		results.note(b.name, s.Name, result)
	}
}

// TestReadmeNamesEveryBehaviour: whoever writes a client finds each row of the matrix explained, and no other.
func TestReadmeNamesEveryBehaviour(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var named, want []string
	_, list, _ := strings.Cut(string(text), "## The behaviours")
	for row := range strings.Lines(list) {
		if cells := strings.Split(row, "|"); len(cells) > 2 && strings.HasPrefix(row, "| **") {
			named = append(named, strings.Trim(cells[1], " *"))
		}
	}
	for _, b := range behaviours {
		want = append(want, b.name)
	}
	if !slices.Equal(named, want) {
		t.Errorf("the README explains %q, want %q", named, want)
	}
}
