package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
)

var (
	startEvents = flag.Int("start.events", 2_000, "events in the log of TestStartsAtOnce")
	startDir    = flag.String("start.dir", "", "where that log is kept from one run to the next; its events are made once")
	startWithin = flag.Duration("start.within", 0, "how long a start may take in TestStartsAtOnce; default: any time")
)

// TestStartsAtOnce: how long a gateway takes to start does not depend on how much it keeps: after it was stopped, and after it was killed.
func TestStartsAtOnce(t *testing.T) {
	dir := *startDir
	if dir == "" {
		dir = t.TempDir()
	}
	cfg := Default()
	cfg.DataDir = filepath.Join(dir, "log")
	cfg.Listen = Listen{Webhook: "127.0.0.1:0", API: "127.0.0.1:0", GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"}
	cfg.Retention.MaxSize, cfg.Retention.DiskReserve = 1<<40, mib
	cfg.Sources = map[string]Source{"acme": {Contexts: []string{"Cust1"}, Location: time.UTC, Secrets: []Secret{{ID: "a", Key: SecretKey(acmeSecret)}}}}
	if _, err := os.Stat(cfg.DataDir); err != nil {
		fillLog(t, cfg.DataDir, *startEvents)
	}
	for range 3 {
		stop(t, startLarge(t, "stopped", cfg))
	}
	killed := cfg
	killed.DataDir = filepath.Join(t.TempDir(), "log")
	if *startDir != "" { // on the same disk, for the links
		killed.DataDir = filepath.Join(dir, "killed")
		defer func() { _ = os.RemoveAll(killed.DataDir) }()
	}
	s := startLarge(t, "stopped", cfg)
	head := int(s.log.Head())
	s.store.Rest(t.Context()) // no files come and go while they are copied
	addLargeRecords(t, s.store, head+1, head+1000+*startEvents/1000)
	leftByKill(t, cfg.DataDir, killed.DataDir)
	stop(t, s)
	stop(t, startLarge(t, "stopped while it was written to", cfg))
	stop(t, startLarge(t, "killed", killed))
}

// startLarge starts a server with a log that was left in this way.
func startLarge(t *testing.T, left string, cfg Config) *Server {
	t.Helper()
	began := time.Now()
	s, err := New(cfg)
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	st := s.log.State()
	t.Logf("%s, then started in %v with %d records, %d MiB", left, took, st.Head, st.SizeBytes>>20)
	if st.Head < uint64(*startEvents) {
		t.Errorf("it came back with %d records", st.Head)
	}
	if *startWithin > 0 && took > *startWithin {
		t.Errorf("it took %v to start", took)
	}
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
}

// leftByKill makes the folder that is left when a gateway that is writing is killed.
func leftByKill(t *testing.T, of, to string) {
	t.Helper()
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(of)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		from, into := filepath.Join(of, f.Name()), filepath.Join(to, f.Name())
		if filepath.Ext(f.Name()) == ".sst" {
			err = os.Link(from, into) // never written to
		} else if f.Type().IsRegular() {
			var b []byte
			if b, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(into, b, 0o600)
			}
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// fillLog makes a log.
func fillLog(t *testing.T, dir string, events int) {
	t.Helper()
	store, err := pebblestore.Open(dir, pebblestore.Options{MinFree: mib})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	addLargeRecords(t, store, 1, events)
}

func addLargeRecords(t *testing.T, store *pebblestore.Store, from, to int) {
	t.Helper()
	var next atomic.Int64
	next.Store(int64(from) - 1)
	g, ctx := errgroup.WithContext(t.Context())
	for range 256 {
		g.Go(func() error {
			for n := int(next.Add(1)); n <= to; n = int(next.Add(1)) {
				_, err := store.Append(ctx, largeRecord(n))
				for errors.Is(err, eventlog.ErrBusy) { // what was stored all the same is a duplicate
					_, err = store.Append(ctx, largeRecord(n))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func largeRecord(n int) *eventlog.Record {
	raw := webhookBody(n, "Cust1", "contact", "changed", fmt.Sprintf(`","FieldValues":{"contact_id":%d,"name":"Company %d","department":"%x","a":"`, n, n, n*7919))
	id, tenant := fmt.Sprintf("%08x-0000-4000-8000-%012d", n*2654435761&0xffffffff, n), fmt.Sprintf("Cust%d", n%100)
	e := &headgatev1.Event{EventId: id, Entity: "contact", Action: "changed", EventType: "contact.changed", Context: tenant, Source: "acme", PrimaryKey: proto.Int32(int32(n))}
	body, _ := proto.Marshal(e)
	return &eventlog.Record{
		Kind: eventlog.KindEvent, Body: body, Raw: raw, Duplicate: eventlog.DuplicateKey(id),
		Keys: eventlog.Keys{Source: "acme", Context: tenant, Entity: "contact", EventType: "contact.changed", Action: "changed", EventID: id},
	}
}
