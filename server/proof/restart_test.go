package proof

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/superoffice"
)

// TestRestartOfALargeLog: a gateway that was killed is there again in a quarter of a second, however much its log holds.
func TestRestartOfALargeLog(t *testing.T) {
	const most = 250 * time.Millisecond
	events := counts(50_000, 1_000_000)
	g := newGateway(t, t.TempDir(), "")
	if err := fill(g.dir, events); err != nil {
		t.Fatal(err)
	}
	g.start()
	c := newCRM(g)
	var took []time.Duration
	for range 9 {
		end := c.write(16, 0)
		before := c.took()
		eventually(t, "there is something to recover", func() bool { return c.took() > before+200 })
		end()
		g.kill()
		took = append(took, g.start())
	}
	slices.Sort(took)
	t.Logf("a log of %d events: the process is killed and started, and listens after %v at best, %v in the middle, %v at worst; want %v", events+c.took(), took[0], took[4], took[8], most)
	if took[0] > most { // the best: who else works on this machine is not what is measured
		t.Errorf("every restart took longer than %v", most)
	}
	g.kill()
	checkStore(t, g.dir, events+c.took())
}

// fill makes a log of so many events.
func fill(dir string, events int) error {
	store, err := pebblestore.Open(dir, pebblestore.Options{AppendTimeout: patience})
	if err != nil {
		return err
	}
	like, err := recordOf(webhook(0))
	if err != nil {
		return errors.Join(err, store.Close())
	}
	var next atomic.Int64
	const appenders = 1024 // they fill the groups in which the store commits
	errs := make([]error, appenders)
	var wg sync.WaitGroup
	for i := range appenders {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(events) && errs[i] == nil; n = next.Add(1) {
				r := *like
				r.Keys.EventID, r.Keys.PrimaryKey = fmt.Sprintf("5b0f6c1e-5fd4-41d3-849a-%012x", n), int32(n)
				r.Duplicate = [16]byte(binary.BigEndian.AppendUint64(make([]byte, 8), uint64(n)))
				_, errs[i] = store.Append(context.Background(), &r)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, store.Close())...)
}

// recordOf is what the gateway makes of a post.
func recordOf(raw []byte) (*eventlog.Record, error) {
	e, err := superoffice.Translate(&superoffice.Source{Name: "acme", Location: time.UTC}, raw)
	if err != nil {
		return nil, err
	}
	body, err := proto.Marshal(e)
	return &eventlog.Record{
		Kind: eventlog.KindEvent, Body: body, Raw: raw,
		Keys: eventlog.Keys{
			Source: "acme", Context: e.GetContext(), Entity: e.GetEntity(), EventType: e.GetEventType(), Action: e.GetAction(), HasPrimaryKey: true,
			ChangedBy: e.GetChangedByAssociateId(), HasChangedBy: true, Changed: eventlog.JoinChanged(e.GetChangedFields()),
		},
	}, err
}
