package feed

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/fault"
	"github.com/headgate/headgate/server/internal/filter"
	"github.com/headgate/headgate/server/internal/subscription"
)

const maxMember = 128

// checkMembership looks at the parts of a request that make it a subscription's.
func checkMembership(req *headgatev1.SubscribeRequest) error {
	_, saved := req.GetStart().GetPosition().(*headgatev1.Start_Saved)
	if req.GetSubscription() == "" {
		switch {
		case saved:
			return invalid("start.saved", "it needs a subscription: name it in subscription")
		case req.GetMember() != "":
			return invalid("member", "it needs a subscription: name it in subscription")
		case req.GetSubscriptionShards() != 0:
			return invalid("subscription_shards", "it needs a subscription: name it in subscription")
		}
		return nil
	}
	if err := checkName("subscription", req.GetSubscription()); err != nil {
		return err
	}
	if !saved {
		return fault.New(codes.InvalidArgument, fault.StartRequired,
			"start: with a subscription say saved, and in it where the subscription begins if it is new", "field", "start")
	}
	if err := checkShards("subscription_shards", req.GetSubscriptionShards()); err != nil {
		return err
	}
	if shard, n := req.GetShard(), req.GetSubscriptionShards(); shard != nil {
		if n != 0 && n != shard.GetCount() {
			return invalid("shard.count", "it differs from subscription_shards")
		}
		if err := checkShards("shard.count", shard.GetCount()); err != nil {
			return err
		}
	}
	return checkPrintable("member", req.GetMember(), maxMember)
}

var goodName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$`)

func checkName(field, name string) error {
	if goodName.MatchString(name) {
		return nil
	}
	return invalid(field, "a subscription's name has 1 to 64 of the characters A-Z a-z 0-9 . _ - and does not begin with a dot")
}

func checkShards(field string, n uint32) error {
	if n > subscription.MaxShards {
		return invalid(field, fmt.Sprintf("a subscription may have at most %d shards", subscription.MaxShards))
	}
	return nil
}

// join puts the stream in line for a shard, and makes the subscription if it is new and the request says where it begins.
func (s *Service) join(ctx context.Context, req *headgatev1.SubscribeRequest, st *stream) (*subscription.Seat, error) {
	if s.opt.Subscriptions == nil {
		return nil, errNoSubscriptions()
	}
	name := subscription.Name{Reader: st.caller.Reader, Name: req.GetSubscription()}
	j := subscription.Joining{Member: req.GetMember(), ClientName: req.GetClientName(), Shards: int(req.GetSubscriptionShards()), Pinned: -1}
	if j.Member == "" {
		j.Member = st.caller.Remote
	}
	if shard := req.GetShard(); shard != nil {
		j.Shards, j.Pinned = int(shard.GetCount()), int(shard.GetIndex())
	}
	whole, err := filter.Compile(st.terms.asked(), nil)
	if err != nil {
		return nil, err
	}
	j.Filter, j.FilterText = whole, st.terms.filter
	seat, err := s.opt.Subscriptions.Join(name, j)
	otherwise := startOf(req.GetStart().GetSaved())
	if !errors.Is(err, subscription.ErrNotFound) || otherwise == nil {
		return seat, err
	}
	at, err := s.positionOf(ctx, otherwise, &st.terms.view)
	if err != nil {
		return nil, err
	}
	switch err := s.opt.Subscriptions.Create(ctx, name, max(j.Shards, 1), at); {
	case err == nil:
		s.audit(ctx, "subscription made", name)
	case !errors.Is(err, subscription.ErrExists): // another stream was first
		return nil, err
	}
	return s.opt.Subscriptions.Join(name, j)
}

// startOf returns where a new subscription begins, nil when that is not said.
func startOf(saved *headgatev1.Saved) *headgatev1.Start {
	switch o := saved.GetOtherwise().(type) {
	case *headgatev1.Saved_At:
		return &headgatev1.Start{Position: &headgatev1.Start_At{At: o.At}}
	case *headgatev1.Saved_AfterCursor:
		return &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: o.AfterCursor}}
	case *headgatev1.Saved_FromTime:
		return &headgatev1.Start{Position: &headgatev1.Start_FromTime{FromTime: o.FromTime}}
	}
	return nil
}

// positionOf finds a place to be kept.
func (s *Service) positionOf(ctx context.Context, start *headgatev1.Start, v *view) (subscription.Place, error) {
	p, err := s.locate(ctx, start, headgatev1.OnLostCursor_ON_LOST_CURSOR_FAIL, v)
	if err != nil {
		return subscription.Place{}, err
	}
	return subscription.Place{Seq: p.pos, Cursor: s.log.Position(p.pos)}, nil
}

// standbyAfter is after how long a stream is told that it waits. A shard that is free is served sooner.
const standbyAfter = time.Second

// await waits until the stream is served a shard. It is not, without an error, when something ended the stream before.
func (st *stream) await(ctx context.Context) (served bool, err error) {
	timer := time.NewTimer(min(standbyAfter, time.Until(st.oldest)))
	defer timer.Stop()
	for {
		if over, err := st.over(ctx); over {
			return false, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case a := <-st.seat.Assigned():
			return true, st.serve(ctx, a)
		case <-timer.C:
			st.old = !time.Now().Before(st.oldest)
			if err := st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Standby{Standby: &headgatev1.Standby{}}}); err != nil {
				return false, err
			}
			timer.Reset(min(st.terms.heartbeat, time.Until(st.oldest)))
		case <-st.svc.draining:
		case <-st.terms.view.grant.Ended():
		case <-st.taken:
		}
	}
}

// serve begins with what the stream was assigned.
func (st *stream) serve(ctx context.Context, a subscription.Assignment) (err error) {
	st.told = a.Place.Seq
	shard := &headgatev1.Shard{Index: uint32(a.Shard), Count: uint32(a.Shards)}
	if st.terms.view.predicate, err = filter.Compile(st.terms.asked(), shard); err != nil {
		return err
	}
	if err := st.svc.log.CatchUp(ctx); err != nil {
		return err
	}
	for _, cursor := range a.Skipped {
		if seq, err := st.svc.log.Locate(cursor); err == nil { // one that the log does not know will not come
			st.skips = append(st.skips, seq)
		}
	}
	if err := st.begin(ctx, &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: a.Place.Cursor}}); err != nil {
		return err
	}
	st.idle = false
	return st.say(&headgatev1.SubscribeResponse{
		Cursor: a.Place.Cursor,
		Signal: &headgatev1.SubscribeResponse_Assigned{Assigned: &headgatev1.Assigned{Shard: shard, Lease: a.Lease}},
	})
}

func errNoSubscriptions() error {
	return fault.New(codes.Unimplemented, fault.Unavailable, "this server keeps no subscriptions")
}

func errLeaseLost(shards []string) error {
	list := strings.Join(shards, ",")
	return fault.New(codes.Aborted, fault.LeaseLost,
		fmt.Sprintf("the lease of shard %s is not, or no longer, in force: handle nothing more under it, and subscribe again", list), "shards", list)
}

// faultOf is statusOf for the errors of subscriptions; nil for others.
func faultOf(err error) error {
	var mismatch *subscription.MismatchError
	switch {
	case errors.As(err, &mismatch):
		return fault.New(codes.FailedPrecondition, fault.SubscriptionMismatch,
			fmt.Sprintf("the subscription has %d shards, which cannot change; say that number, or make another subscription", mismatch.Shards),
			"shard_count", fmt.Sprint(mismatch.Shards))
	case errors.Is(err, subscription.ErrNotFound):
		return fault.New(codes.NotFound, fault.SubscriptionNotFound, "this reader has no subscription of that name; Subscribe makes it when start.saved says where it begins")
	case errors.Is(err, subscription.ErrExists):
		return fault.New(codes.AlreadyExists, fault.SubscriptionExists, "this reader has a subscription of that name already")
	case errors.Is(err, subscription.ErrTooMany):
		return fault.New(codes.ResourceExhausted, fault.Limit, "this reader has as many subscriptions as one may; delete one first",
			"limit", "subscriptions", "allowed", fmt.Sprint(subscription.MaxPerReader))
	case errors.Is(err, subscription.ErrSkips):
		return fault.New(codes.ResourceExhausted, fault.Limit, err.Error(), "limit", "skips", "allowed", "100")
	case errors.Is(err, subscription.ErrBehind):
		return fault.New(codes.FailedPrecondition, fault.CursorBehind, "the cursor stands before the saved one; to go back, seek")
	case errors.Is(err, subscription.ErrNoShard):
		return invalid("shard", "the subscription has no such shard")
	case errors.Is(err, subscription.ErrStore):
		return fault.Retry(codes.Unavailable, fault.Unavailable, "the position cannot be kept now; try again", drainRetry)
	case errors.Is(err, subscription.ErrClosed):
		return errDraining()
	}
	return nil
}
