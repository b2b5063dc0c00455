package server_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

// unpack makes a data directory of a testdata file.
func unpack(t *testing.T, file string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(zip); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStoresOfEarlierFormats: data directories that earlier states of this program made are opened, read and gone on with, without a step that would keep
// those from opening them again; and then upgraded.
//
// Each file in testdata/stores is of 60 records: events, whose ids end in the record's number, but a quarantined one at 51; 1 to 20 are trimmed, 30 is erased. In
// "cursors" are the cursors from 0 to 60. All but the first have a subscription "links" of the reader billing, with shard 1 saved at 45.
func TestStoresOfEarlierFormats(t *testing.T) {
	files, err := filepath.Glob("testdata/stores/*.tar.gz")
	if err != nil || len(files) < 4 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".tar.gz")
		t.Run(name, func(t *testing.T) {
			dir := unpack(t, file)
			text, err := os.ReadFile(filepath.Join(dir, "cursors"))
			if err != nil {
				t.Fatal(err)
			}
			cursors := strings.Fields(string(text))
			wantWhole(t, dir)
			g := start(t, signedConfig(dir))
			g.checkGolden(cursors, 1)
			if name != "1-first" {
				g.checkPositions(cursors)
			}
			if code := g.post(body(1000, "relation.created", "Cust1234")); code != 200 {
				t.Errorf("a post: %d", code)
			}
			g.stop()
			if files, err := filepath.Glob(filepath.Join(dir, "marker.format-version.*.020")); err != nil || len(files) != 1 {
				t.Errorf("the files' own version is another one: %q, %v", files, err)
			}
			for _, from := range []uint32{1, 2} {
				if was, is, err := server.UpgradeStore(dir); was != from || is != 2 || err != nil {
					t.Fatalf("upgraded from %d to %d, %v", was, is, err)
				}
			}
			g = start(t, signedConfig(dir))
			g.checkGolden(cursors, 2)
			if name != "1-first" {
				g.checkPositions(cursors)
			}
			g.stop()
			wantWhole(t, dir)
		})
	}
}

// wantWhole looks whether the directory is found whole.
func wantWhole(t *testing.T, dir string) {
	t.Helper()
	looked, err := server.Verify(dir, func(where, what string) { t.Errorf("damaged  %s: %s", where, what) }, func(string, float64) {})
	if err != nil || len(looked) < 4 {
		t.Errorf("looked at %q, %v", looked, err)
	}
}

func (g *gateway) checkGolden(cursors []string, format uint32) {
	g.t.Helper()
	events, gaps, _ := g.all(cursors[20])
	if gaps != 1 || len(events) < 38 {
		g.t.Fatalf("%d events, %d gaps", len(events), gaps)
	}
	seq := 20
	for _, e := range events[:38] {
		for seq++; seq == 30 || seq == 51; seq++ {
		}
		if e.GetEventId() != fmt.Sprint("id", seq) || e.GetCursor() != cursors[seq] || e.GetPrimaryKey() != int32(seq) {
			g.t.Fatalf("record %d is %v", seq, e)
		}
		got, err := g.events().GetEvent(g.t.Context(), &headgatev1.GetEventRequest{Cursor: e.GetCursor(), IncludeRawBody: true})
		if err != nil || string(got.GetRawBody()) != "raw of "+e.GetEventId() {
			g.t.Fatalf("record %d: %q, %v", seq, got.GetRawBody(), err)
		}
	}
	if _, err := g.events().ListEvents(g.t.Context(), &headgatev1.ListEventsRequest{AfterCursor: cursors[3]}); err == nil {
		g.t.Error("what was trimmed is passed over")
	}
	st, err := adminv1.NewAdminServiceClient(g.conn).GetStatus(g.t.Context(), &adminv1.GetStatusRequest{})
	if err != nil || st.GetLog().GetFormat() != format || st.GetLog().GetNewestFormat() != 2 || st.GetLog().GetQuarantined() != 1 {
		g.t.Errorf("%v, %v", st.GetLog(), err)
	}
}

func (g *gateway) checkPositions(cursors []string) {
	g.t.Helper()
	list, err := adminv1.NewAdminServiceClient(g.conn).ListSubscriptions(g.t.Context(), &adminv1.ListSubscriptionsRequest{})
	if err != nil || len(list.GetSubscriptions()) != 1 {
		g.t.Fatalf("%v, %v", list, err)
	}
	s := list.GetSubscriptions()[0]
	var saved []string
	for _, shard := range s.GetShards() {
		saved = append(saved, shard.GetCursor())
	}
	if s.GetReader() != "billing" || s.GetSubscription().GetName() != "links" || !slices.Equal(saved, []string{cursors[0], cursors[45]}) {
		g.t.Errorf("%v", s)
	}
}
