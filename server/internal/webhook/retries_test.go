package webhook

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// TestRetriesAreKept: what the CRM says of its attempts stands with the event, and with what goes into quarantine; anything else counts as a first one.
func TestRetriesAreKept(t *testing.T) {
	d := newDoor(t)
	header := []string{"", "0", "1", "2", "3", "99", "-1", "many", "1.5"}
	for i, value := range header {
		b := strings.Replace(body(t), "abca7e30", "abca7e3"+string(rune('a'+i)), 1)
		if value == "99" {
			b = "{"
		}
		var headers []string
		if value != "" {
			headers = []string{"x-superoffice-retry", value}
		}
		if status, text := d.signed(b, headers...); status != http.StatusOK {
			t.Fatal(status, text)
		}
	}
	var got []uint8
	for _, st := range d.stored() {
		got = append(got, st.Retries)
	}
	if want := []uint8{0, 0, 1, 2, 3, 3, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// broken is a log that stores nothing.
type brokenLog struct{}

func (brokenLog) Append(context.Context, *eventlog.Record) (bool, error) {
	return false, errors.New("not now")
}

// TestOnlyAuthenticPostsAreTold: a stranger can neither make the gateway think that it could not store, nor that it could.
func TestOnlyAuthenticPostsAreTold(t *testing.T) {
	var told []bool
	tell := func(s *setup) { s.opt.Stored = func(ok bool) { told = append(told, ok) } }
	good, bad := newDoor(t, tell), newDoor(t, tell, func(s *setup) { s.log = brokenLog{} })
	for _, d := range []*door{good, bad} {
		d.post([]byte(body(t)), signature, Sign([]byte("another key"), []byte(body(t))))
		d.post([]byte(body(t)))
		d.signed(string(samples(t)["test"]))
		if len(told) > 0 {
			t.Fatalf("told %v", told)
		}
	}
	good.signed(body(t))
	good.signed(body(t))
	bad.signed(body(t))
	if !slices.Equal(told, []bool{true, true, false}) {
		t.Errorf("told %v", told)
	}
}
