package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

var behind = &headgatev1.Subscription{
	Name: "billing", ShardCount: 4, CreatedAt: noon, Lag: durationpb.New(50*time.Hour + 90*time.Second), SavedAt: noon, Served: 3, StandingBy: 1, Endangered: true,
}

func (o *operator) ListSubscriptions(context.Context, *adminv1.ListSubscriptionsRequest) (*adminv1.ListSubscriptionsResponse, error) {
	if o.subscriptions == nil {
		return nil, scripted.Refusal(codes.PermissionDenied, client.ReasonOperatorOnly, "this is for operators")
	}
	return &adminv1.ListSubscriptionsResponse{Subscriptions: o.subscriptions}, nil
}

// keeper answers the calls of subscriptions and remembers the last request.
type keeper struct {
	headgatev1.UnimplementedSubscriptionServiceServer
	asked proto.Message
}

func (k *keeper) ListSubscriptions(_ context.Context, req *headgatev1.ListSubscriptionsRequest) (*headgatev1.ListSubscriptionsResponse, error) {
	k.asked = req
	return &headgatev1.ListSubscriptionsResponse{Subscriptions: []*headgatev1.Subscription{{Name: "mine", ShardCount: 1}}}, nil
}

func (k *keeper) CreateSubscription(_ context.Context, req *headgatev1.CreateSubscriptionRequest) (*headgatev1.CreateSubscriptionResponse, error) {
	k.asked = req
	return &headgatev1.CreateSubscriptionResponse{}, nil
}

func (k *keeper) GetSubscription(_ context.Context, req *headgatev1.GetSubscriptionRequest) (*headgatev1.GetSubscriptionResponse, error) {
	if req.GetName() != "billing" {
		return nil, scripted.Refusal(codes.NotFound, client.ReasonSubscriptionNotFound, "there is none")
	}
	return &headgatev1.GetSubscriptionResponse{
		Subscription: behind,
		Shards: []*headgatev1.SubscriptionShard{
			{Cursor: scripted.Cursor(7), SavedAt: noon, Lag: durationpb.New(1500 * time.Millisecond), Member: "pod-1", ClientName: "billing\x1b", Lease: "a"},
			{Index: 1, Cursor: scripted.Cursor(0), Lease: "b"},
			{Index: 2, Cursor: scripted.Cursor(0)},
		},
		Skips: []*headgatev1.Skip{{Cursor: scripted.Cursor(6), Shard: 2, Reason: "poison", SkippedBy: "chief, token 1", SkippedAt: noon}},
	}, nil
}

func (k *keeper) SeekSubscription(_ context.Context, req *headgatev1.SeekSubscriptionRequest) (*headgatev1.SeekSubscriptionResponse, error) {
	k.asked = req
	return &headgatev1.SeekSubscriptionResponse{}, nil
}

func (k *keeper) SkipEvent(_ context.Context, req *headgatev1.SkipEventRequest) (*headgatev1.SkipEventResponse, error) {
	k.asked = req
	return &headgatev1.SkipEventResponse{Skip: &headgatev1.Skip{Shard: 2}}, nil
}

func (k *keeper) DeleteSubscription(_ context.Context, req *headgatev1.DeleteSubscriptionRequest) (*headgatev1.DeleteSubscriptionResponse, error) {
	k.asked = req
	return &headgatev1.DeleteSubscriptionResponse{}, nil
}

func TestSubscriptionsOfAllReadersAreListed(t *testing.T) {
	admin := &operator{subscriptions: []*adminv1.ReaderSubscription{
		{Reader: "billing", Subscription: behind}, {Reader: "directory", Subscription: &headgatev1.Subscription{Name: "sync", ShardCount: 1, Served: 1}},
	}}
	address, _ := startGateway(t, &scripted.Gateway{Admin: admin, Subscriptions: &keeper{}})
	out, _, err := headgate(t, nil, "subscriptions", "--address", address)
	want := `READER     SUBSCRIPTION  SERVED  STANDBY   LAG  LAST SAVED
billing    billing          3/4        1  2d2h  3d ago  ENDANGERED
directory  sync             1/1        0     -  never

` + endangered + "\n"
	if err != nil || out != want {
		t.Errorf("wrote\n%s\n%v, want\n%s", out, err, want)
	}
	own := "SUBSCRIPTION  SERVED  STANDBY  LAG  LAST SAVED\nmine             0/1        0    -  never\n"
	if out, _, err := headgate(t, nil, "subscriptions", "--own", "--address", address); err != nil || out != own {
		t.Errorf("wrote\n%s\n%v, want\n%s", out, err, own)
	}
	admin.subscriptions = nil
	out, errs, err := headgate(t, nil, "subscriptions", "--address", address)
	if err != nil || out != own || errs != "only this reader's own: the others are for operators\n" {
		t.Errorf("no operator: wrote\n%s, told %q, %v", out, errs, err)
	}
}

func TestSubscriptionIsShown(t *testing.T) {
	address, _ := startGateway(t, &scripted.Gateway{Subscriptions: &keeper{}})
	out, _, err := headgate(t, nil, "subscription", "get", "billing", "--address", address)
	want := `name        billing
made        3d ago
shards      4, 3 served, 1 standing by
lag         2d2h
last saved  3d ago
` + endangered + `

SHARD   LAG  LAST SAVED  MEMBER      CLIENT       CURSOR
    0  1.5s  3d ago      pod-1       billing\x1b  cccccccccccccccc000007
    1     -  never       nobody yet  -            cccccccccccccccc000000
    2     -  never       -           -            cccccccccccccccc000000
nobody yet: whoever had the shard may still save what it handled, for five seconds

SKIPPED  SHARD  CURSOR                  BY              REASON
3d ago       2  cccccccccccccccc000006  chief, token 1  poison
`
	if err != nil || out != want {
		t.Errorf("wrote\n%s\n%v, want\n%s", out, err, want)
	}
}

func TestMissingSubscriptionIsExplained(t *testing.T) {
	admin := &operator{}
	address, _ := startGateway(t, &scripted.Gateway{Admin: admin, Subscriptions: &keeper{}, Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		scripted.SendAndFail(scripted.Refusal(codes.NotFound, client.ReasonSubscriptionNotFound, "there is none")),
	}})
	for _, args := range []string{"subscription get other", "tail --subscription other"} {
		admin.subscriptions = nil
		_, _, err := headgate(t, nil, append(strings.Fields(args), "--address", address)...)
		if want := "this reader has no subscription other: see headgate subscriptions --own, or make it with headgate subscription create"; err == nil || err.Error() != want {
			t.Errorf("%s: told %v", args, err)
		}
		admin.subscriptions = []*adminv1.ReaderSubscription{{Reader: "acme", Subscription: &headgatev1.Subscription{Name: "other"}}, {Reader: "globex", Subscription: behind}}
		_, _, err = headgate(t, nil, append(strings.Fields(args), "--address", address)...)
		if want := "the subscription other belongs to the reader acme: use the token of that reader; to skip and to delete, an operator names it with --reader"; err == nil || err.Error() != want {
			t.Errorf("%s, an operator: told %v", args, err)
		}
	}
}

// lostKeeper cannot find the cursor that it is given.
type lostKeeper struct {
	headgatev1.UnimplementedSubscriptionServiceServer
	err error
}

func (k *lostKeeper) CreateSubscription(context.Context, *headgatev1.CreateSubscriptionRequest) (*headgatev1.CreateSubscriptionResponse, error) {
	return nil, k.err
}

func (k *lostKeeper) SeekSubscription(context.Context, *headgatev1.SeekSubscriptionRequest) (*headgatev1.SeekSubscriptionResponse, error) {
	return nil, k.err
}

func (k *lostKeeper) SkipEvent(context.Context, *headgatev1.SkipEventRequest) (*headgatev1.SkipEventResponse, error) {
	return nil, k.err
}

// Whoever gives a lost cursor is told what that command can do about it, and nothing else.
func TestLostCursorIsExplained(t *testing.T) {
	k := &lostKeeper{err: scripted.Refusal(codes.FailedPrecondition, client.ReasonCursorForeign, "foreign; begin elsewhere")}
	address, _ := startGateway(t, &scripted.Gateway{Subscriptions: k, Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		func(*headgatev1.SubscribeRequest, scripted.Stream) error { return k.err },
	}})
	check := func(args, want string) {
		t.Helper()
		if _, _, err := headgate(t, nil, append(strings.Fields(args), "--address", address)...); err == nil || err.Error() != want {
			t.Errorf("%s: told %v, want %s", args, err, want)
		}
	}
	const seek = "move the position with headgate subscription seek, or say --on-lost-cursor)"
	const foreign = "CURSOR_FOREIGN: the cursor was not made by this log ("
	check("subscription create x --after y", foreign+elsewhere+")")
	check("subscription seek x --after y", foreign+elsewhere+")")
	check("subscription skip x --cursor y --reason z", foreign+noEvent+")")
	check("tail --subscription x", foreign+seek)
	check("tail --subscription x --after y", foreign+"if the subscription is new, begin elsewhere, for example with --earliest; else "+seek)
	k.err = scripted.Refusal(codes.OutOfRange, client.ReasonCursorExpired, "gone; begin elsewhere")
	check("subscription seek x --after y", "CURSOR_EXPIRED: the events at this place are no longer kept ("+elsewhere+")")
}

func TestSubscriptionIsChanged(t *testing.T) {
	k := &keeper{}
	address, _ := startGateway(t, &scripted.Gateway{Subscriptions: k})
	for args, want := range map[string]struct {
		out   string
		asked proto.Message
	}{
		"create billing --latest --shards 4": {
			"made billing with 4 shards, beginning with what comes from now on\n", &headgatev1.CreateSubscriptionRequest{Name: "billing", ShardCount: 4, Start: client.Latest()},
		},
		"create billing --earliest": {
			"made billing with 1 shard, beginning with the oldest event\n", &headgatev1.CreateSubscriptionRequest{Name: "billing", ShardCount: 1, Start: client.Earliest()},
		},
		"seek billing --from " + moment(noon): {
			"moved billing: it begins with what was received from " + moment(noon) + " on\n", &headgatev1.SeekSubscriptionRequest{Name: "billing", Start: client.FromTime(noon.AsTime())},
		},
		"seek billing --after x --shard 0": {
			"moved shard 0 of billing: it begins after x\n", &headgatev1.SeekSubscriptionRequest{Name: "billing", Shard: proto.Uint32(0), Start: client.After("x")},
		},
		"skip billing --cursor x --reason poison": {
			"left out of shard 2 of billing; the event stays in the log: headgate get -- x\n", &headgatev1.SkipEventRequest{Name: "billing", Cursor: "x", Reason: "poison"},
		},
		"delete billing": {"deleted billing\n", &headgatev1.DeleteSubscriptionRequest{Name: "billing"}},
	} {
		out, _, err := headgate(t, nil, append([]string{"subscription", "--address", address}, strings.Fields(args)...)...)
		if err != nil || out != want.out {
			t.Errorf("%s: wrote %q, %v", args, out, err)
		}
		if diff := cmp.Diff(want.asked, k.asked, protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
}

func TestTailReadsAsAMember(t *testing.T) {
	started, assigned := scripted.StartedWithout(heartbeat), scripted.Assigned(0, 2, 4, "a")
	address, gateway := start(t, scripted.Send(started, scripted.Standby(), scripted.Standby(), assigned, scripted.Batch(1, 2), scripted.CaughtUp(2)))
	out, errs, err := headgate(t, nil, "tail", "--address", address, "--subscription", "billing", "--shard", "2/4", "--earliest")
	if err != nil || strings.Count(out, "\n") != 2 {
		t.Errorf("wrote %q, %v", out, err)
	}
	want := "standing by: the shards of billing are served to others\nreading shard 2/4 of billing from " + address + ", beginning where it is saved\n"
	if errs != want {
		t.Errorf("told %q, want %q", errs, want)
	}
	asked := gateway.Requests()[0]
	if asked.GetSubscription() != "billing" || asked.GetStart().GetSaved().GetAt() != headgatev1.Start_EDGE_EARLIEST || asked.GetShard().GetIndex() != 2 {
		t.Errorf("asked for %v", asked)
	}
	saves := gateway.Saves()
	if s := saves[len(saves)-1]; s.GetCursor() != scripted.Cursor(2) || !s.GetRelease() || s.GetShard() != 2 {
		t.Errorf("saved %v", saves)
	}
}

func TestTailReadsAllShards(t *testing.T) {
	address, gateway := start(t, scripted.Send(scripted.StartedWithout(heartbeat), scripted.Assigned(0, 0, 3, "a"), scripted.CaughtUp(0)))
	if _, _, err := headgate(t, nil, "tail", "--address", address, "--subscription", "billing", "--shards", "3"); err != nil {
		t.Fatal(err)
	}
	members := map[string]int{}
	for _, r := range gateway.Requests() {
		members[r.GetMember()] += int(r.GetSubscriptionShards())
	}
	if len(members) != 1 || len(gateway.Requests()) != 3 {
		t.Errorf("asked %v", gateway.Requests())
	}
	for _, n := range members {
		if n != 9 {
			t.Errorf("asked for %d shards three times", n)
		}
	}
}

// TestOperatorActsForAReader: with --reader it is AdminService that is asked.
func TestOperatorActsForAReader(t *testing.T) {
	admin := &actingOperator{}
	address, _ := startGateway(t, &scripted.Gateway{Admin: admin, Subscriptions: &keeper{}})
	out, _, err := headgate(t, nil, "subscription", "skip", "billing", "--reader", "acme", "--cursor="+scripted.Cursor(6), "--reason", "poison", "--address", address)
	if s := admin.skipped; err != nil || s.GetReader() != "acme" || s.GetName() != "billing" || s.GetCursor() != scripted.Cursor(6) || s.GetReason() != "poison" || !strings.Contains(out, "shard 2") {
		t.Errorf("%v, %q, %v", s, out, err)
	}
	out, _, err = headgate(t, nil, "subscription", "delete", "billing", "--reader", "acme", "--address", address)
	if d := admin.deleted; err != nil || d.GetReader() != "acme" || d.GetName() != "billing" || out != "deleted billing\n" {
		t.Errorf("%v, %q, %v", d, out, err)
	}
}

type actingOperator struct {
	adminv1.UnimplementedAdminServiceServer
	skipped *adminv1.SkipEventRequest
	deleted *adminv1.DeleteSubscriptionRequest
}

func (o *actingOperator) SkipEvent(_ context.Context, req *adminv1.SkipEventRequest) (*adminv1.SkipEventResponse, error) {
	o.skipped = req
	return &adminv1.SkipEventResponse{Skip: &headgatev1.Skip{Shard: 2}}, nil
}

func (o *actingOperator) DeleteSubscription(_ context.Context, req *adminv1.DeleteSubscriptionRequest) (*adminv1.DeleteSubscriptionResponse, error) {
	o.deleted = req
	return &adminv1.DeleteSubscriptionResponse{}, nil
}
