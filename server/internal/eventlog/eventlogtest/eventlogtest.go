// Package eventlogtest is the conformance suite of the log's engines: whatever implements eventlog.Engine passes Run.
package eventlogtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// Harness says how an engine is had.
type Harness struct {
	// New returns a fresh place for one engine. Several are in use at a time.
	New func(t *testing.T) Place
}

// Place is where one engine lives.
type Place struct {
	// Open opens the engine with what it held when it was closed. At most one is open at a time.
	Open func(t *testing.T) eventlog.Engine
	// SetNow stops the engine's clock at a time. Before the first call the clock is the real one.
	SetNow func(time.Time)
}

// Run runs the whole suite against engines of the harness.
func Run(t *testing.T, h Harness) {
	groups := []struct {
		name  string
		tests []test
	}{
		{"Append", appendTests},
		{"Duplicate", duplicateTests},
		{"Clock", clockTests},
		{"Follow", followTests},
		{"Read", readTests},
		{"Lookup", lookupTests},
		{"Quarantine", quarantineTests},
		{"Trim", trimTests},
		{"Erase", eraseTests},
		{"Close", closeTests},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, tt := range g.tests {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel() // they wait for the disk most of the time
					r := &rig{T: t, Place: h.New(t)}
					r.open()
					defer r.close()
					tt.run(r)
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(r *rig)
}

// rig is one test's engine.
type rig struct {
	*testing.T
	Place
	eventlog.Engine
	closed bool
}

func (r *rig) open() {
	r.Helper()
	r.Engine, r.closed = r.Place.Open(r.T), false
}

func (r *rig) close() {
	r.Helper()
	if r.closed {
		return
	}
	r.closed = true
	if err := r.Engine.Close(); err != nil {
		r.Errorf("Close: %v", err)
	}
}

func (r *rig) reopen() {
	r.Helper()
	r.close()
	r.open()
}

// must fails the test on an error.
func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// add appends records that are no duplicates.
func (r *rig) add(recs ...*eventlog.Record) {
	r.Helper()
	for _, rec := range recs {
		if dup, err := r.Append(ctx, rec); err != nil || dup {
			r.Fatalf("Append: dup %v, %v", dup, err)
		}
	}
}

// addN appends n events of the tenant, with the ids <prefix>0, <prefix>1 …
func (r *rig) addN(n int, source, tenant, prefix string) {
	r.Helper()
	for i := range n {
		r.add(event(source, tenant, fmt.Sprint(prefix, i)))
	}
}

// all reads from after to the head in as many calls as it takes, and fails on any error.
func (r *rig) all(after uint64, wants wants) []eventlog.Stored {
	r.Helper()
	list, err := readTo(r.Engine, after, r.State().Head, wants)
	r.must(err)
	return list
}

var ctx = context.Background()

type wants = func(source, context string) bool

// readTo reads until a position, checks that through is honest about itself, and returns copies.
func readTo(e eventlog.Engine, after, to uint64, w wants) (list []eventlog.Stored, err error) {
	for after < to {
		last := after
		through, err := e.Read(ctx, after, w, func(st eventlog.Stored) bool {
			if st.Seq <= last {
				err = fmt.Errorf("record %d visited after %d", st.Seq, last)
			}
			last = st.Seq
			st.Body = bytes.Clone(st.Body)
			list = append(list, st)
			return true
		})
		switch {
		case err != nil:
			return list, err
		case through < last:
			return list, fmt.Errorf("a Read visited %d and says that it looked through %d", last, through)
		case through <= after:
			return list, fmt.Errorf("a Read after %d came no further than %d", after, through)
		}
		after = through
	}
	return list, err
}

// event is an event whose identity follows from its tenant and id.
func event(source, tenant, id string) *eventlog.Record {
	return &eventlog.Record{
		Kind: eventlog.KindEvent,
		Keys: eventlog.Keys{
			Source: source, Context: tenant, Entity: "relation", EventType: "relation.created", Action: "created", EventID: id,
			PrimaryKey: 7, HasPrimaryKey: true, ChangedBy: -1, HasChangedBy: true, Changed: eventlog.JoinChanged([]string{"a", "b"}), Shard: 42,
		},
		Body:      []byte("body of " + id),
		Raw:       []byte("raw of " + id),
		Duplicate: eventlog.DuplicateKey(source, tenant, "relation.created", "7", id),
	}
}

// quarantined is the gap of a webhook that could not be read.
func quarantined(source, raw string) *eventlog.Record {
	return &eventlog.Record{
		Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: source, EventID: "q-" + raw}, Body: []byte("gap"), Raw: []byte(raw),
		Duplicate:  eventlog.DuplicateKey(source, raw),
		Quarantine: &eventlog.Quarantine{Problem: "not JSON", ContentType: "text/plain", EventType: "x", Context: "c"},
	}
}

// wantWhole checks that the list holds exactly the sequences from the first to the last.
func wantWhole(t testing.TB, list []eventlog.Stored, first, last uint64) {
	t.Helper()
	if n := last + 1 - first; uint64(len(list)) != n {
		t.Fatalf("%d records, want %d", len(list), n)
	}
	for i, st := range list {
		if st.Seq != first+uint64(i) {
			t.Fatalf("record %d stands where %d should", st.Seq, first+uint64(i))
		}
		if i > 0 && st.ReceivedAt.Before(list[i-1].ReceivedAt) {
			t.Fatalf("record %d was received at %s, before its predecessor at %s", st.Seq, st.ReceivedAt, list[i-1].ReceivedAt)
		}
	}
}

func ids(list []eventlog.Stored) string {
	var b strings.Builder
	for _, st := range list {
		b.WriteString(st.Keys.EventID + " ")
	}
	return strings.TrimSpace(b.String())
}

func wantErr(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, want %v", err, target)
	}
}
