//go:build linux || darwin

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/superoffice"
)

// largeLog is the data directory of a gateway that has accepted many events of many tenants.
type largeLog struct {
	dir    string
	made   int    // events 1 to made are of the tenants
	events int    // so many there are by now; what was posted since is of another
	early  string // the cursor of event 1
}

// theLog is made once in a run.
var theLog largeLog

// perTenant is how many events each tenant of the large log has.
const perTenant = 1000

// tenants is how many there are.
func (l *largeLog) tenants() int { return max(l.made/perTenant, 1) }

// tenantOf is the tenant of event n, of those that the log was made with.
func (l *largeLog) tenantOf(n int) string { return fmt.Sprint("CustR", n%l.tenants()) }

// isOf says whether event n is of the same tenant as event m.
func (l *largeLog) isOf(n, m int) bool { return n <= l.made && (n-m)%l.tenants() == 0 }

// need makes the log, unless that was done.
func (l *largeLog) need(b *testing.B) {
	b.Helper()
	if l.dir != "" {
		return
	}
	dir, err := os.MkdirTemp("", "headgate-bench-")
	if err != nil {
		b.Fatal(err)
	}
	l.dir, l.made = dir, theSizes().resumeEvents
	start := time.Now()
	if err := l.fill(); err != nil {
		b.Fatal(err)
	}
	l.events = l.made
	fmt.Printf("\na log of %d events was made in %s\n", l.made, time.Since(start).Round(time.Second))
}

func (l *largeLog) fill() error {
	store, err := pebblestore.Open(l.dir, pebblestore.Options{})
	if err != nil {
		return err
	}
	var next atomic.Int64
	if err := l.append(store, &next, 1); err != nil { // it is the first, so that it is known where it stands
		return errors.Join(err, store.Close())
	}
	const appenders = 2048 // they fill the groups in which the store commits
	errs := make([]error, appenders)
	var wg sync.WaitGroup
	for i := range appenders {
		wg.Go(func() { errs[i] = l.append(store, &next, l.made) })
	}
	wg.Wait()
	log, err := eventlog.Open(store, eventlog.Options{})
	if err == nil {
		l.early = log.Cursor(1)
	}
	return errors.Join(append(errs, err, store.Close())...)
}

// append appends the next event, and the next, up to the last.
func (l *largeLog) append(store *pebblestore.Store, next *atomic.Int64, last int) error {
	e, err := superoffice.Translate(&superoffice.Source{Name: source, Location: time.UTC}, body(1, 1))
	if err != nil {
		return err
	}
	for {
		n := int(next.Load()) + 1
		if n > last {
			return nil
		}
		if !next.CompareAndSwap(int64(n-1), int64(n)) {
			continue
		}
		e.PrimaryKey, e.Context, e.EventId = new(int32(n)), l.tenantOf(n), fmt.Sprintf("5b0f6c1e-5fd4-41d3-849a-%012x", n)
		encoded, err := proto.Marshal(e)
		if err != nil {
			return err
		}
		r := &eventlog.Record{Kind: eventlog.KindEvent, Keys: keysOf(e), Body: encoded}
		if _, err := store.Append(context.Background(), r); err != nil {
			return err
		}
	}
}

func (l *largeLog) remove() error {
	if l.dir == "" {
		return nil
	}
	return os.RemoveAll(l.dir)
}

// open starts a gateway on the log and waits until what that leads to is done.
func (l *largeLog) open(b *testing.B) *peer {
	b.Helper()
	l.need(b)
	p := startPeer(b, headgate, l.dir)
	p.settle()
	return p
}

// afterEarly is a Subscribe that goes on after the first event, encoded.
func (l *largeLog) afterEarly(filter *headgatev1.Filter) []byte {
	return encode(&headgatev1.SubscribeRequest{Filter: filter, Start: &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: l.early}}})
}
