package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

var eraseRounds = flag.Int("erase.rounds", 3, "persons that TestErasure erases")

// mark is a text that is found again in files, whatever compresses them, by any of its pieces.
func mark() string { return rand.Text() + rand.Text() + rand.Text() }

// filesWith names the files of the data directory that hold a piece of one of the marks.
func filesWith(t *testing.T, dir string, marks []string) (found []string) {
	t.Helper()
	const piece = 12
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		for _, m := range marks {
			for at := 0; at+piece <= len(m); at += piece {
				if bytes.Contains(content, []byte(m[at:at+piece])) {
					found = append(found, filepath.Base(path))
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// ofPerson are bodies that are the person's, each with a mark: events, quarantined ones, and last one that cannot be read.
func ofPerson(round, person int) (bodies []string, marks []string) {
	for i, text := range []string{
		`"Event":"person.changed","PrimaryKey":%d,"FieldValues":{"name":"%s"}}`,
		`"Event":"relation.created","PrimaryKey":1,"FieldValues":{"source_table":6,"source_record":%d,"comment":"%s"}}`,
		`"Event":"sale.sold","PrimaryKey":2,"FieldValues":{"person_id":%d,"heading":"%s"}}`,
		`"Event":"sale.sold","PrimaryKey":"none","FieldValues":{"person_id":%d},"more":"%s"}`,
		`"Event":"person.changed","more":{"PrimaryKey":%d,"name":"%s`,
	} {
		marks = append(marks, mark())
		bodies = append(bodies, fmt.Sprintf(`{"EventId":"%d-%d","ContextIdentifier":"Cust26759",`+text, round, i, person, marks[i]))
	}
	return bodies, marks
}

// entry is what stands in one place of the log, as a reader is told: an event by its cursor, "gap" or "erased".
func entries(m *headgatev1.SubscribeResponse) (list []string) {
	for _, e := range m.GetEvents() {
		list = append(list, e.GetCursor())
	}
	switch {
	case m.GetGap() != nil:
		list = append(list, "gap")
	case m.GetErased() != nil:
		list = append(list, "erased")
	}
	return list
}

// checkTold holds what a reader was told, from the beginning on, against what the log holds now: nothing is left out, and what was told of an erased place was told
// before.
func checkTold(t *testing.T, who string, told, now []string) {
	t.Helper()
	if len(told) > len(now) {
		t.Errorf("%s was told of %d places, the log has %d", who, len(told), len(now))
		return
	}
	for i := range told {
		if told[i] != now[i] && now[i] != "erased" {
			t.Errorf("%s was told %q in the place of %q", who, told[i], now[i])
			return
		}
	}
}

// follow reads a stream into a list until it ends.
func (g *gateway) follow(ctx context.Context, req *headgatev1.SubscribeRequest) (list func() []string, ended <-chan error) {
	done := make(chan error, 1)
	var mu sync.Mutex
	var told []string
	stream, err := g.events().Subscribe(ctx, req)
	if err != nil {
		g.t.Fatal(err)
	}
	go func() {
		for {
			m, err := stream.Recv()
			if err != nil {
				done <- err
				return
			}
			mu.Lock()
			told = append(told, entries(m)...)
			mu.Unlock()
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(told)
	}, done
}

// erase does all steps of an erasure, over gRPC or REST.
func (g *gateway) erase(rest bool, req *adminv1.EraseRequest) (found, undecided []string) {
	g.t.Helper()
	req.Source, req.Context = "acme", "Cust26759"
	for more := true; more; {
		resp, err := &adminv1.EraseResponse{}, error(nil)
		if rest {
			err = g.eraseREST(req, resp)
		} else {
			resp, err = adminv1.NewAdminServiceClient(g.conn).Erase(g.t.Context(), req)
		}
		if err != nil {
			g.t.Fatal(err)
		}
		for _, e := range resp.GetFound() {
			found = append(found, e.GetCursor())
		}
		for _, e := range resp.GetUndecided() {
			undecided = append(undecided, e.GetCursor())
		}
		req.AfterCursor, more = resp.GetNextCursor(), resp.GetHasMore()
	}
	req.AfterCursor = ""
	return found, undecided
}

func (g *gateway) eraseREST(req *adminv1.EraseRequest, resp *adminv1.EraseResponse) error {
	text, err := protojson.Marshal(req)
	if err != nil {
		return err
	}
	answer, err := http.Post("http://"+g.addr.API+"/admin/v1/log:erase", "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %s, %w", answer.StatusCode, text, err)
	}
	return protojson.Unmarshal(text, resp)
}

// TestErasure: while webhooks come, streams are live and others replay, persons are erased one after the other. Afterwards no file of the data directory
// holds anything of them, readers were told of every place, and all else is as it was.
func TestErasure(t *testing.T) {
	dir := t.TempDir()
	g := start(t, signedConfig(dir))
	earliest := &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}
	live, liveEnded := g.follow(t.Context(), &headgatev1.SubscribeRequest{Start: earliest})
	var replays []func() []string
	var ends []<-chan error
	var all []string // marks
	for round := range *eraseRounds {
		replay, ended := g.follow(t.Context(), &headgatev1.SubscribeRequest{Start: earliest, MaxBatchSize: uint32(round % 2), StopWhenCaughtUp: true})
		replays, ends = append(replays, replay), append(ends, ended)
		var posted sync.WaitGroup
		posted.Go(func() {
			for i := range 50 {
				g.postAgain(body(1000+50*round+i, "contact.changed", "Cust26759"))
			}
		})
		all = append(all, g.eraseOne(round, dir)...)
		posted.Wait()
		if found := filesWith(t, dir, all); len(found) > 0 {
			t.Fatalf("round %d: in %q something is left", round, found)
		}
	}
	for _, ended := range ends {
		if err := <-ended; !errors.Is(err, io.EOF) {
			t.Errorf("a replay ended with %v", err)
		}
	}
	g.settled(live, replays)
	g.stop()
	<-liveEnded
	if found := filesWith(t, dir, all); len(found) > 0 {
		t.Errorf("after the end: in %q something is left", found)
	}
}

// postAgain posts until it is stored. A busy disk can take longer than the gateway waits.
func (g *gateway) postAgain(body []byte) {
	for range 100 {
		if g.post(body) == http.StatusOK {
			return
		}
	}
	g.t.Errorf("not stored: %s", body)
}

// eraseOne posts what is a person's, and erases it.
func (g *gateway) eraseOne(round int, dir string) (marks []string) {
	t, person := g.t.(*testing.T), 100+round
	t.Helper()
	bodies, marks := ofPerson(round, person)
	for _, b := range bodies {
		g.postAgain([]byte(b))
	}
	if len(filesWith(t, dir, marks)) == 0 {
		t.Fatal("the marks cannot be found")
	}
	req := &adminv1.EraseRequest{Subject: &adminv1.EraseRequest_PersonId{PersonId: int32(person)}}
	would, open := g.erase(round%2 == 1, req)
	if len(would) != len(bodies)-1 || len(open) != 1 {
		t.Fatalf("found %d, undecided %d", len(would), len(open))
	}
	req.Execute = true
	if found, _ := g.erase(round%2 == 1, req); !slices.Equal(found, would) {
		t.Fatalf("found %q, the dry run %q", found, would)
	}
	g.erase(round%2 == 1, &adminv1.EraseRequest{
		Execute: true, Subject: &adminv1.EraseRequest_Cursors_{Cursors: &adminv1.EraseRequest_Cursors{Cursors: open}},
	})
	// The CRM sends it once more, which does not bring it back.
	for _, b := range bodies {
		g.postAgain([]byte(b))
	}
	if again, open := g.erase(false, &adminv1.EraseRequest{Subject: req.Subject}); len(again)+len(open) > 0 {
		t.Errorf("%d came back, %d undecided", len(again), len(open))
	}
	_, err := g.events().GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: would[0], IncludeRawBody: true})
	if status.Code(err) != codes.NotFound {
		t.Errorf("an erased event: %v", err)
	}
	return marks
}

// settled waits until the readers are where the log is, and checks what they were told.
func (g *gateway) settled(live func() []string, replays []func() []string) {
	t := g.t.(*testing.T)
	t.Helper()
	now, ended := g.follow(t.Context(), &headgatev1.SubscribeRequest{
		Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}, StopWhenCaughtUp: true,
	})
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	holds := now()
	if text := strings.Join(holds, " "); strings.Count(text, "erased") != 5**eraseRounds {
		t.Errorf("%d places are erased", strings.Count(text, "erased"))
	}
	eventually(t, "the live reader is told of all", func() bool { return len(live()) >= len(holds) })
	checkTold(t, "the live reader", live(), holds)
	for i, told := range replays {
		checkTold(t, fmt.Sprint("replay ", i), told(), holds)
	}
}
