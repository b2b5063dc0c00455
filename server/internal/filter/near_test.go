package filter

import "testing"

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abcd", "abc", 1},
		{"ab", "abc", 1},
		{"axc", "abc", 1},
		{"acb", "abc", 1},
		{"bca", "abc", 2},
		{"badc", "abcd", 2},
		{"æbc", "abc", 1},
		{"created", "deleted", 4},
	} {
		if got := distance([]rune(tc.a), tc.b); got != tc.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

// distance relies on it.
func TestKnownNamesAreShortLowerCaseASCII(t *testing.T) {
	for _, names := range [][]string{entityNames, eventTypeNames, actionNames} {
		for _, n := range names {
			if n == "" || len(n) > longestKnown {
				t.Errorf("%q has %d bytes", n, len(n))
			}
			for _, c := range n {
				if c != '.' && (c < 'a' || c > 'z') {
					t.Errorf("%q contains %q", n, c)
				}
			}
		}
	}
}
