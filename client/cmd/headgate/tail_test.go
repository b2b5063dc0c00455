package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func refuseWithToken(_ *headgatev1.SubscribeRequest, stream scripted.Stream) error {
	md, _ := metadata.FromIncomingContext(stream.Context())
	return status.Error(codes.Unauthenticated, strings.Join(md.Get("authorization"), ","))
}

// write makes a file.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTailWritesALineForEachEvent(t *testing.T) {
	started := scripted.Started(19, heartbeat)
	started.GetStarted().UnknownNames = []string{"y_tabel"}
	address, gateway := start(t, scripted.Send(started, scripted.Batch(20, 21), scripted.Checkpoint(22), scripted.CaughtUp(22)))
	out, errs, err := headgate(t, nil, "tail", "--address", address)
	if err != nil {
		t.Fatal(err)
	}
	if want := "relation.created  Cust26759  #20  contact 1 -> contact 2  by 5\nrelation.created  Cust26759  #21  contact 1 -> contact 2  by 5\n"; out != want {
		t.Errorf("wrote %q, want %q", out, want)
	}
	if want := "reading from " + address + ", beginning with what comes from now on\nwarning: y_tabel is not a known name; nothing will come if it is misspelt\n"; errs != want {
		t.Errorf("told %q, want %q", errs, want)
	}
	want := &headgatev1.SubscribeRequest{
		Filter: &headgatev1.Filter{}, Start: client.Latest(), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_FAIL, ClientName: "headgate tail",
	}
	if diff := cmp.Diff(want, gateway.Requests()[0], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestTailAsksForWhatTheFlagsSay(t *testing.T) {
	address, gateway := start(t, scripted.Send(scripted.CaughtUp(0)))
	_, _, err := headgate(t, nil, "tail", "--address", address, "--entity", "relation,associate", "--entity", "contact", "--event-type", "relation.created",
		"--action", "created", "--context", "Cust26759", "--source", "dev", "--primary-key", "20,-1", "--changed-field", "reldef_id",
		"--exclude-changed-by", "5", "--from", "2026-01-02T03:04:05+01:00", "--on-lost-cursor", "earliest", "--shard", "1/4", "--until-caught-up")
	if err != nil {
		t.Fatal(err)
	}
	want := &headgatev1.SubscribeRequest{
		Filter: &headgatev1.Filter{
			Entities: []string{"relation", "associate", "contact"}, EventTypes: []string{"relation.created"}, Actions: []string{"created"},
			Contexts: []string{"Cust26759"}, Sources: []string{"dev"}, PrimaryKeys: []int32{20, -1}, ChangedFields: []string{"reldef_id"},
			ExcludeChangedByAssociateIds: []int32{5},
		},
		Start:        client.FromTime(time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)),
		OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST, Shard: &headgatev1.Shard{Index: 1, Count: 4},
		StopWhenCaughtUp: true, ClientName: "headgate tail",
	}
	if diff := cmp.Diff(want, gateway.Requests()[0], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestTailBegins(t *testing.T) {
	for flag, want := range map[string]*headgatev1.Start{
		"--earliest": client.Earliest(), "--latest": client.Latest(), "--after=" + scripted.Cursor(3): client.After(scripted.Cursor(3)),
	} {
		address, gateway := start(t, scripted.Send(scripted.CaughtUp(0)))
		if _, _, err := headgate(t, nil, "tail", "--address", address, flag); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, gateway.Requests()[0].GetStart(), protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", flag, diff)
		}
	}
	address, gateway := start(t, scripted.Send(scripted.CaughtUp(0)))
	before := time.Now()
	if _, _, err := headgate(t, nil, "tail", "--address", address, "--from", "90m"); err != nil {
		t.Fatal(err)
	}
	from := gateway.Requests()[0].GetStart().GetFromTime().AsTime()
	if from.Before(before.Add(-90*time.Minute)) || from.After(time.Now().Add(-90*time.Minute)) {
		t.Errorf("90m is %v before now", time.Since(from))
	}
}

func TestTailInJSON(t *testing.T) {
	at := timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	erased := &headgatev1.SubscribeResponse{Cursor: scripted.Cursor(3), Signal: &headgatev1.SubscribeResponse_Erased{
		Erased: &headgatev1.Erased{Source: "dev", Context: "Cust26759", Entity: "associate"},
	}}
	address, _ := start(t, scripted.Send(scripted.Started(0, heartbeat), scripted.Batch(1, 1),
		scripted.Gap(2, &headgatev1.Gap{Reason: headgatev1.Gap_REASON_QUARANTINED, Source: "dev", Contexts: []string{"Cust26759"}, FromTime: at, ToTime: at}),
		erased, scripted.Gap(4, &headgatev1.Gap{}), scripted.CaughtUp(4)))
	out, errs, err := headgate(t, nil, "tail", "--address", address, "--output", "json")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"cursor":"cccccccccccccccc000001","event_id":"event-1","entity":"relation","event_type":"relation.created","action":"created",` +
		`"context":"Cust26759","source":"dev","primary_key":1,"changed_by_associate_id":5,"received_at":"2026-01-02T03:04:01Z",` +
		`"relation":{"source_table":5,"source_record":1,"destination_table":5,"destination_record":2,"source_entity":"contact","destination_entity":"contact"}}
{"cursor":"cccccccccccccccc000002","gap":{"reason":"REASON_QUARANTINED","source":"dev","contexts":["Cust26759"],"from_time":"2026-01-02T03:04:05Z","to_time":"2026-01-02T03:04:05Z"}}
{"cursor":"cccccccccccccccc000003","erased":{"source":"dev","context":"Cust26759","entity":"associate"}}
{"cursor":"cccccccccccccccc000004","gap":{}}
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	if errs != "reading from "+address+", beginning with what comes from now on\n" {
		t.Errorf("told %q: what the JSON says is not repeated", errs)
	}
}

func TestTailInTextTellsSignalsApart(t *testing.T) {
	at := timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	erased := &headgatev1.SubscribeResponse{Cursor: scripted.Cursor(3), Signal: &headgatev1.SubscribeResponse_Erased{
		Erased: &headgatev1.Erased{Source: "dev", Context: "Cust26759", Entity: "associate"},
	}}
	address, _ := start(t, scripted.Send(
		scripted.Gap(2, &headgatev1.Gap{Reason: headgatev1.Gap_REASON_QUARANTINED, Source: "dev", Contexts: []string{"Cust26759"}, FromTime: at, ToTime: at}),
		erased, scripted.Gap(4, &headgatev1.Gap{}), scripted.CaughtUp(4)))
	out, errs, err := headgate(t, nil, "tail", "--address", address)
	want := `gap: something may be missing here (quarantined): source dev, Cust26759, 2026-01-02T03:04:05Z to 2026-01-02T03:04:05Z
erased: an event of associate stood here: source dev, Cust26759
gap: something may be missing here (unspecified): every source, ? to ?
`
	if err != nil || out != "" || errs != want {
		t.Errorf("wrote %q, told %q, %v; want %q", out, errs, err, want)
	}
}

func TestVerboseTailTellsTimeAndCursor(t *testing.T) {
	address, _ := start(t, scripted.Send(scripted.Batch(20, 20), scripted.CaughtUp(20)))
	for _, flag := range []string{"-v", "--verbose"} {
		out, _, err := headgate(t, nil, "tail", "--address", address, flag)
		want := "2026-01-02T03:04:20Z " + scripted.Cursor(20) + " relation.created  Cust26759  #20  contact 1 -> contact 2  by 5\n"
		if err != nil || out != want {
			t.Errorf("wrote %q, %v; want %q", out, err, want)
		}
	}
}

func TestTailTellsThatItConnectsAgain(t *testing.T) {
	address, gateway := start(t, scripted.SendAndFail(status.Error(codes.Unavailable, "away\x1b[2J"), scripted.Started(0, heartbeat), scripted.Batch(1, 1)),
		scripted.Send(scripted.Started(1, heartbeat), scripted.Batch(2, 2), scripted.CaughtUp(2)))
	out, errs, err := headgate(t, nil, "tail", "--address", address, "--earliest")
	if err != nil || strings.Count(out, "\n") != 2 || len(gateway.Requests()) != 2 {
		t.Errorf("wrote %q, %v", out, err)
	}
	lines := strings.Split(strings.TrimSpace(errs), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "reconnecting in ") || !strings.HasSuffix(lines[1], `Unavailable: away\x1b[2J`) ||
		lines[2] != "reading from "+address+", beginning where it stopped" {
		t.Errorf("told %q", lines)
	}
}

func TestTailTellsWhyTheGatewayEndedTheStream(t *testing.T) {
	address, _ := start(t, scripted.Send(scripted.Started(0, heartbeat), scripted.Closing(0, headgatev1.Closing_REASON_CREDENTIAL_EXPIRED, 0)),
		scripted.SendAndFail(status.Error(codes.Unauthenticated, "the token has expired")))
	_, errs, err := headgate(t, nil, "tail", "--address", address)
	if err == nil || !strings.Contains(err.Error(), "Unauthenticated") || !strings.HasSuffix(errs, ": the credential has expired\n") {
		t.Errorf("told %q, ended with %v", errs, err)
	}
}

func TestTailResumes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cursor")
	address, gateway := start(t, scripted.Send(scripted.Started(0, heartbeat), scripted.Batch(1, 2), scripted.CaughtUp(2)),
		scripted.Send(scripted.Started(2, heartbeat), scripted.Batch(3, 4), scripted.CaughtUp(5)))
	written := 0
	saved := func() string {
		content, _ := os.ReadFile(path)
		return strings.TrimSpace(string(content))
	}
	args := []string{"tail", "--address", address, "--earliest", "--resume", path}
	for range 2 {
		err := run(t.Context(), args, nil, writer(func(string) error {
			if got := saved(); got != scripted.Cursor(written) {
				t.Errorf("while event %d is written, %q is saved: its output comes first", written+1, got)
			}
			written++
			return nil
		}), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
	}
	if written != 4 || saved() != scripted.Cursor(5) {
		t.Errorf("wrote %d, saved %s", written, saved())
	}
	first, second := gateway.Requests()[0].GetStart(), gateway.Requests()[1].GetStart()
	if diff := cmp.Diff([]*headgatev1.Start{client.Earliest(), client.After(scripted.Cursor(2))}, []*headgatev1.Start{first, second}, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if _, _, err := headgate(t, nil, "tail", "--address", address, "--resume", write(t, "nonsense")); err == nil || !strings.Contains(err.Error(), "does not hold a cursor") {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestClosedPipeEndsTailWithoutSavingWhatNobodyRead(t *testing.T) {
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writing.Close() }()
	address, _ := start(t, scripted.SendAndHold(scripted.Started(0, heartbeat), scripted.Batch(1, 3)))
	path := filepath.Join(t.TempDir(), "cursor")
	lines := 0
	err = run(t.Context(), []string{"tail", "--address", address, "--earliest", "--resume", path}, nil, writer(func(line string) error {
		if lines++; lines == 2 {
			_ = reading.Close() // as head does
		}
		_, err := writing.WriteString(line)
		return err
	}), io.Discard)
	content, _ := os.ReadFile(path)
	if err != nil || lines != 2 || strings.TrimSpace(string(content)) != scripted.Cursor(1) {
		t.Errorf("ended with %v after %d lines, saved %q", err, lines, content)
	}
}

func TestOtherWriteErrorsAreTold(t *testing.T) {
	address, _ := start(t, scripted.SendAndHold(scripted.Started(0, heartbeat), scripted.Batch(1, 3)))
	err := run(t.Context(), []string{"tail", "--address", address}, nil, writer(func(string) error { return syscall.ENOSPC }), &bytes.Buffer{})
	if err == nil || exitCode(err) != 1 {
		t.Errorf("ended with %v", err)
	}
}

func TestRefusalsAreShownWithWhatToDo(t *testing.T) {
	for _, c := range []struct {
		refusal error
		code    int
		want    string
	}{
		{
			scripted.Refusal(codes.InvalidArgument, client.ReasonFilterInvalid, `there is no entity "relatoin", did you mean "relation"?`), 2,
			`FILTER_INVALID: there is no entity "relatoin", did you mean "relation"?`,
		},
		{
			scripted.Refusal(codes.OutOfRange, client.ReasonCursorExpired, "gone"), 1,
			"CURSOR_EXPIRED: gone (begin elsewhere, for example with --earliest, or say so with --on-lost-cursor)",
		},
		{scripted.Refusal(codes.DataLoss, client.ReasonDataLoss, "damaged\n\x1b]0;title\a"), 1, `DATA_LOSS: damaged\n\x1b]0;title\a`},
	} {
		address, _ := start(t, scripted.SendAndFail(c.refusal))
		_, _, err := headgate(t, nil, "tail", "--address", address, "--entity", "relatoin")
		if err == nil || err.Error() != c.want || exitCode(err) != c.code {
			t.Errorf("told %v, want %s", err, c.want)
		}
	}
}
