package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

// backup makes one of the running gateway. midway is called once, when the first bytes of the log have come and the rest waits.
func (g *gateway) backup(midway func()) []byte {
	g.t.Helper()
	stream, err := adminv1.NewAdminServiceClient(g.conn).Backup(g.t.Context(), &adminv1.BackupRequest{})
	if err != nil {
		g.t.Fatal(err)
	}
	var file []byte
	for {
		m, err := stream.Recv()
		if err != nil {
			g.t.Fatal(err)
		}
		if s := m.GetSummary(); s != nil {
			if sum := sha256.Sum256(file); !bytes.Equal(s.GetSha256(), sum[:]) {
				g.t.Error("the summary has another checksum")
			}
			if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
				g.t.Errorf("behind the summary: %v", err)
			}
			return file
		}
		if file = append(file, m.GetChunk()...); midway != nil && len(file) > 100<<10 {
			midway()
			midway = nil
		}
	}
}

// all returns the events from a cursor on to the head.
func (g *gateway) all(after string) (events []*headgatev1.Event, gaps int, head string) {
	g.t.Helper()
	for {
		page, err := g.events().ListEvents(g.t.Context(), &headgatev1.ListEventsRequest{AfterCursor: after})
		if err != nil {
			g.t.Fatal(err)
		}
		events = append(events, page.GetEvents()...)
		if page.GetGap() != nil {
			gaps++
		}
		if after = page.GetNextCursor(); !page.GetHasMore() {
			return events, gaps, after
		}
	}
}

func (g *gateway) saved(name string) string {
	g.t.Helper()
	got, err := headgatev1.NewSubscriptionServiceClient(g.conn).GetSubscription(g.t.Context(), &headgatev1.GetSubscriptionRequest{Name: name})
	if err != nil {
		g.t.Fatal(err)
	}
	return got.GetShards()[0].GetCursor()
}

func (g *gateway) save(name, cursor string) {
	g.t.Helper()
	_, err := headgatev1.NewSubscriptionServiceClient(g.conn).SaveCursors(g.t.Context(), &headgatev1.SaveCursorsRequest{
		Name: name, Saves: []*headgatev1.ShardSave{{Cursor: cursor}},
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// bulky is the body of a webhook that cannot be made much smaller.
func bulky(n int) []byte {
	var b map[string]any
	if err := json.Unmarshal(body(n, "relation.created", "Cust1234"), &b); err != nil {
		panic(err)
	}
	noise := make([]byte, 500<<10)
	_, _ = rand.Read(noise)
	b["more"] = base64.StdEncoding.EncodeToString(noise)
	text, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return text
}

// TestBackupAndRestore: a backup is taken in the middle of the traffic. In the restored gateway all events are there that were accepted before, under their own
// cursors; cursors and saved positions from before go on, and those from behind are refused.
func TestBackupAndRestore(t *testing.T) {
	g := start(t, signedConfig(t.TempDir()))
	const before = 8
	for n := range before {
		if code := g.post(bulky(n)); code != 200 {
			t.Fatalf("post: %d", code)
		}
	}
	want, _, head := g.all("")
	subscriptions := headgatev1.NewSubscriptionServiceClient(g.conn)
	if _, err := subscriptions.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "links", Start: earliest()}); err != nil {
		t.Fatal(err)
	}
	g.save("links", want[before/2].GetCursor())
	var later []*headgatev1.Event
	file := g.backup(func() {
		// The backup waits for its taker. Intake and readers do not wait for it, and positions move on, beyond what it will have.
		for n := range 5 {
			g.post(body(1000+n, "relation.created", "Cust1234"))
		}
		later, _, _ = g.all(head)
		g.save("links", later[4].GetCursor())
	})
	if len(later) != 5 || len(file) < 1<<20 {
		t.Fatalf("%d events beside a backup of %d bytes", len(later), len(file))
	}
	g.stop()

	dir := filepath.Join(t.TempDir(), "restored")
	restored, err := server.Restore(dir, bytes.NewReader(file))
	if err != nil || restored.Of.Records != before || restored.Positions != 2 || restored.Of.Head != before {
		t.Fatalf("%+v, %v", restored, err)
	}
	wantWhole(t, dir)
	if about, err := server.VerifyBackup(bytes.NewReader(file)); err != nil || about != restored.Of {
		t.Errorf("the backup is of %+v, %v", about, err)
	}
	if _, err := server.VerifyBackup(bytes.NewReader(file[:len(file)-1])); err == nil {
		t.Error("a cut backup is found whole")
	}
	r := start(t, signedConfig(dir))
	r.checkRestored(want, head, later[0].GetCursor())
	if got := r.saved("links"); got != want[before/2].GetCursor() {
		t.Error("the position is another one")
	}
	r.save("links", head)
	if code := r.post(bulky(0)); code != 200 {
		t.Errorf("post: %d", code)
	}
}

// checkRestored looks whether the gateway has the events, up to the head, and refuses the cursor behind.
func (g *gateway) checkRestored(want []*headgatev1.Event, head, behind string) {
	t := g.t
	t.Helper()
	got, gaps, _ := g.all("")
	if len(got) != len(want) || gaps != 1 {
		t.Fatalf("%d events, %d gaps", len(got), gaps)
	}
	for i := range want {
		if got[i].GetCursor() != want[i].GetCursor() || got[i].GetEventId() != want[i].GetEventId() || !got[i].GetReceivedAt().AsTime().Equal(want[i].GetReceivedAt().AsTime()) {
			t.Fatalf("event %d is another one", i)
		}
	}
	if events, gaps, _ := g.all(head); len(events) != 0 || gaps != 1 {
		t.Errorf("behind the copy: %d events, %d gaps", len(events), gaps)
	}
	_, err := g.events().ListEvents(t.Context(), &headgatev1.ListEventsRequest{AfterCursor: behind})
	if client.ErrorOf(err) == nil || client.ErrorOf(err).Reason != client.ReasonCursorForeign || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a cursor from behind the copy: %v", err)
	}
}

// TestDamagedBackupIsRefused: what is not a whole backup leaves nothing that a gateway would run with, and does not keep a whole one from being restored.
func TestDamagedBackupIsRefused(t *testing.T) {
	g := start(t, signedConfig(t.TempDir()))
	for n := range 40 {
		g.post(body(n, "relation.created", "Cust1234"))
	}
	file := g.backup(nil)
	g.stop()
	flipped := func(at int) []byte {
		b := bytes.Clone(file)
		b[at] ^= 4
		return b
	}
	dir := filepath.Join(t.TempDir(), "restored")
	for name, bad := range map[string][]byte{
		"nothing": nil, "cut in the first line": file[:5], "cut in the middle": file[:len(file)/2], "cut before its end": file[:len(file)-37],
		"cut in its end": file[:len(file)-1], "longer": append(bytes.Clone(file), 0), "another file": []byte("what is this? no backup, at any rate"),
		"first line": flipped(3), "header": flipped(100), "middle": flipped(len(file) / 2), "checksum": flipped(len(file) - 3), "a length": flipped(len(file) - 36),
	} {
		if _, err := server.Restore(dir, bytes.NewReader(bad)); err == nil {
			t.Fatalf("%s: it was restored", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
		if s, err := server.New(signedConfig(dir)); err == nil || !strings.Contains(err.Error(), "headgated restore again") {
			t.Errorf("%s: the folder opens: %v", name, err)
			if err == nil {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_ = s.Run(ctx)
			}
		}
	}
	if _, err := server.Restore(dir, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	start(t, signedConfig(dir)).stop()
	if _, err := server.Restore(dir, bytes.NewReader(file)); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("over a log: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) < 5 {
		t.Errorf("the log is gone: %v, %v", entries, err)
	}
}

// TestStoppingEndsABackup: a server that stops does not wait for one.
func TestStoppingEndsABackup(t *testing.T) {
	g := start(t, signedConfig(t.TempDir()))
	for n := range 6 {
		g.post(bulky(n))
	}
	stream, err := adminv1.NewAdminServiceClient(g.conn).Backup(t.Context(), &adminv1.BackupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		g.stop()
		close(stopped)
	}()
	for err == nil {
		_, err = stream.Recv()
	}
	<-stopped
	if code := status.Code(err); code != codes.Unavailable && code != codes.Canceled {
		t.Errorf("the backup ended with %v", err)
	}
}
