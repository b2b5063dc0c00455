package main

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/headgate/headgate/client/internal/scripted"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

// eraser answers Erase in three steps.
type eraser struct {
	adminv1.UnimplementedAdminServiceServer
	asked []*adminv1.EraseRequest
}

func (e *eraser) Erase(_ context.Context, req *adminv1.EraseRequest) (*adminv1.EraseResponse, error) {
	e.asked = append(e.asked, proto.CloneOf(req))
	switch len(e.asked) {
	case 1:
		return &adminv1.EraseResponse{
			Found:     []*adminv1.Erasable{{Cursor: scripted.Cursor(1), ReceivedAt: noon, Entity: "person"}, {Cursor: scripted.Cursor(2), ReceivedAt: noon, Quarantined: true}},
			Undecided: []*adminv1.Erasable{{Cursor: scripted.Cursor(3), ReceivedAt: noon, Quarantined: true}},
			Searched:  9, NextCursor: scripted.Cursor(9), HasMore: true,
		}, nil
	case 2:
		return &adminv1.EraseResponse{NextCursor: scripted.Cursor(12), HasMore: true}, nil
	}
	return &adminv1.EraseResponse{NextCursor: scripted.Cursor(12)}, nil
}

func TestErase(t *testing.T) {
	for _, execute := range []bool{false, true} {
		admin := &eraser{}
		address, _ := startGateway(t, &scripted.Gateway{Admin: admin})
		args := []string{"erase", "--source", "acme", "--context", "Cust1", "--person", "17", "--address", address}
		if execute {
			args = append(args, "--execute")
		}
		out, errs, err := headgate(t, nil, args...)
		want := "CURSOR                  RECEIVED  WHAT\n" +
			"cccccccccccccccc000001  3d ago    person\n" +
			"cccccccccccccccc000002  3d ago    in quarantine\n" +
			"cccccccccccccccc000003  3d ago    in quarantine, undecided\n"
		if execute {
			want += "2 erased, and gone from the disk; copies in backups and at the readers are not\n"
		} else {
			want += "2 would be erased: run it again with --execute\n"
		}
		if out != want || !strings.Contains(errs, "1 quarantined webhooks") || err != nil {
			t.Errorf("wrote\n%s%s%v\nwant\n%s", out, errs, err, want)
		}
		request := func(after string) *adminv1.EraseRequest {
			return &adminv1.EraseRequest{
				Source: "acme", Context: "Cust1", Subject: &adminv1.EraseRequest_PersonId{PersonId: 17}, Execute: execute, AfterCursor: after,
			}
		}
		steps := []*adminv1.EraseRequest{request(""), request(scripted.Cursor(9)), request(scripted.Cursor(12))}
		if diff := cmp.Diff(steps, admin.asked, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhatIsErased(t *testing.T) {
	key := int32(20)
	for args, want := range map[string]*adminv1.EraseRequest{
		"--associate 5":                     {Subject: &adminv1.EraseRequest_AssociateId{AssociateId: 5}},
		"--entity contact --primary-key=20": {Subject: &adminv1.EraseRequest_Record_{Record: &adminv1.EraseRequest_Record{Entity: "contact", PrimaryKey: &key}}},
		"--everything":                      {Subject: &adminv1.EraseRequest_Everything{Everything: true}},
		"--cursor a --cursor b":             {Subject: &adminv1.EraseRequest_Cursors_{Cursors: &adminv1.EraseRequest_Cursors{Cursors: []string{"a", "b"}}}},
	} {
		admin := &eraser{asked: make([]*adminv1.EraseRequest, 2)} // the last step
		address, _ := startGateway(t, &scripted.Gateway{Admin: admin})
		_, _, err := headgate(t, nil, append([]string{"erase", "--source", "acme", "--context", "Cust1", "--address", address}, strings.Fields(args)...)...)
		want.Source, want.Context = "acme", "Cust1"
		if diff := cmp.Diff(want, admin.asked[2], protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", args, err, diff)
		}
	}
}
