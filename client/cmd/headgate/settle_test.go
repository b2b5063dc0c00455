package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/headgate/headgate/client/internal/scripted"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

func (o *operator) ReprocessQuarantined(_ context.Context, req *adminv1.ReprocessQuarantinedRequest) (*adminv1.ReprocessQuarantinedResponse, error) {
	o.reprocessed = append(o.reprocessed, req)
	one := func(n int, outcome adminv1.Reprocessed_Outcome, problem string) *adminv1.Reprocessed {
		return &adminv1.Reprocessed{Id: scripted.Cursor(n), Outcome: outcome, Problem: problem, Source: "dev", EventType: "a\x1b"}
	}
	switch {
	case req.GetSource() == "empty":
		return &adminv1.ReprocessQuarantinedResponse{}, nil
	case req.GetSource() != "" && req.GetAfterId() == "":
		return &adminv1.ReprocessQuarantinedResponse{HasMore: true, Reprocessed: []*adminv1.Reprocessed{
			one(1, adminv1.Reprocessed_OUTCOME_APPENDED, ""), one(2, adminv1.Reprocessed_OUTCOME_STAYS, "still wrong"),
		}}, nil
	case req.GetSource() != "":
		return &adminv1.ReprocessQuarantinedResponse{Reprocessed: []*adminv1.Reprocessed{
			one(3, adminv1.Reprocessed_OUTCOME_DUPLICATE, ""), one(4, adminv1.Reprocessed_OUTCOME_TEST_CALL, ""),
		}}, nil
	}
	resp := &adminv1.ReprocessQuarantinedResponse{}
	for range req.GetIds() {
		resp.Reprocessed = append(resp.Reprocessed, one(5, adminv1.Reprocessed_OUTCOME_NOT_FOUND, ""))
	}
	return resp, nil
}

func (o *operator) DiscardQuarantined(_ context.Context, req *adminv1.DiscardQuarantinedRequest) (*adminv1.DiscardQuarantinedResponse, error) {
	o.discarded = append(o.discarded, req)
	return &adminv1.DiscardQuarantinedResponse{Discarded: uint64(max(7*len(req.GetSource())/3, len(req.GetIds())))}, nil
}

func TestQuarantineIsReprocessed(t *testing.T) {
	admin := &operator{}
	address, _ := startGateway(t, &scripted.Gateway{Admin: admin})
	out, _, err := headgate(t, nil, "quarantine", "reprocess", "--source", "dev", "--address", address)
	want := `ID                      OUTCOME   SOURCE  CONTEXT  EVENT TYPE  PROBLEM
` + scripted.Cursor(1) + `  appended  dev     -        a\x1b
` + scripted.Cursor(2) + `  stays     dev     -        a\x1b       still wrong
` + scripted.Cursor(3) + `  already there  dev     -        a\x1b
` + scripted.Cursor(4) + `  a test call    dev     -        a\x1b
1 appended, 1 already there, 1 test calls, 1 stay, 0 not found
`
	if err != nil || out != want {
		t.Errorf("wrote\n%s\nwant\n%s%v", out, want, err)
	}
	out, _, err = headgate(t, nil, "quarantine", "reprocess", "--dry-run", scripted.Cursor(5), "--address", address)
	if want := "ID                      OUTCOME    SOURCE  CONTEXT  EVENT TYPE  PROBLEM\n" + scripted.Cursor(5) + "  not found  dev     -        a\\x1b\nwould be: 0 appended, 0 already there, 0 test calls, 0 stay, 1 not found\n"; err != nil || out != want {
		t.Errorf("wrote %q, want %q, %v", out, want, err)
	}
	asked := []*adminv1.ReprocessQuarantinedRequest{{Source: "dev"}, {Source: "dev", AfterId: scripted.Cursor(2)}, {Ids: []string{scripted.Cursor(5)}, DryRun: true}}
	if diff := cmp.Diff(asked, admin.reprocessed, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if out, _, err = headgate(t, nil, "quarantine", "reprocess", "--source", "empty", "--address", address); err != nil || out != "nothing of this source is in quarantine\n" {
		t.Errorf("wrote %q, %v", out, err)
	}
}

func TestQuarantineIsDiscarded(t *testing.T) {
	admin := &operator{}
	address, _ := startGateway(t, &scripted.Gateway{Admin: admin})
	args := []string{"quarantine", "discard", "--reason", "noise", "--address", address}
	var ids []string
	for n := range 230 {
		ids = append(ids, scripted.Cursor(n))
	}
	for want, args := range map[string][]string{"230 discarded\n": append(args, ids...), "7 discarded\n": append(args, "--source", "dev")} {
		if out, _, err := headgate(t, nil, args...); err != nil || out != want {
			t.Errorf("wrote %q, want %q, %v", out, want, err)
		}
	}
	for _, req := range admin.discarded {
		if req.GetReason() != "noise" || len(req.GetIds()) > 100 || (req.GetSource() == "") == (len(req.GetIds()) == 0) {
			t.Errorf("asked %v", req)
		}
	}
}

func TestWhichQuarantinedMustBeSaid(t *testing.T) {
	for _, args := range [][]string{{"reprocess"}, {"reprocess", "x", "--source", "dev"}, {"discard", "--reason", "x"}, {"discard", "x"}, {"discard", "x", "--reason", ""}} {
		if _, _, err := headgate(t, nil, append([]string{"quarantine"}, args...)...); exitCode(err) != 2 {
			t.Errorf("%v: %v", args, fmt.Sprint(err))
		}
	}
}
