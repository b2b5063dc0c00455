package feed

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"google.golang.org/grpc/codes"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/fault"
	"github.com/headgate/headgate/server/internal/filter"
	"github.com/headgate/headgate/server/internal/subscription"
)

const maxReason = 256

// own returns the caller's name for a subscription of its.
func (s *Service) own(ctx context.Context, name string) (subscription.Name, error) {
	if s.opt.Subscriptions == nil {
		return subscription.Name{}, errNoSubscriptions()
	}
	return subscription.Name{Reader: s.opt.Caller(ctx).Reader, Name: name}, checkName("name", name)
}

// audit writes down what a reader did to its subscription.
func (s *Service) audit(ctx context.Context, what string, name subscription.Name, more ...any) {
	caller := s.opt.Caller(ctx)
	s.opt.Logger.Info(what, append([]any{"log", "audit", "reader", name.Reader, "by", caller.Reader, "credential", caller.Credential, "remote", caller.Remote, "subscription", name.Name}, more...)...)
}

// CreateSubscription implements headgate.v1.SubscriptionService.
func (s *Service) CreateSubscription(ctx context.Context, req *headgatev1.CreateSubscriptionRequest) (*headgatev1.CreateSubscriptionResponse, error) {
	resp, err := s.createSubscription(ctx, req)
	return resp, s.statusOf(err)
}

func (s *Service) createSubscription(ctx context.Context, req *headgatev1.CreateSubscriptionRequest) (*headgatev1.CreateSubscriptionResponse, error) {
	name, err := s.own(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	if err := checkShards("shard_count", req.GetShardCount()); err != nil {
		return nil, err
	}
	at, err := s.askedPosition(ctx, req.GetStart())
	if err != nil {
		return nil, err
	}
	if err := s.opt.Subscriptions.Create(ctx, name, max(int(req.GetShardCount()), 1), at); err != nil {
		return nil, err
	}
	s.audit(ctx, "subscription made", name)
	got, err := s.getSubscription(ctx, name)
	return &headgatev1.CreateSubscriptionResponse{Subscription: got.GetSubscription()}, err
}

// askedPosition finds a place to be kept, under the caller's grant.
func (s *Service) askedPosition(ctx context.Context, start *headgatev1.Start) (subscription.Place, error) {
	if err := s.log.CatchUp(ctx); err != nil {
		return subscription.Place{}, err
	}
	v, err := s.viewOf(ctx, nil, nil)
	if err != nil {
		return subscription.Place{}, err
	}
	if err := v.refuseNothing(); err != nil {
		return subscription.Place{}, err
	}
	return s.positionOf(ctx, start, &v)
}

// GetSubscription implements headgate.v1.SubscriptionService.
func (s *Service) GetSubscription(ctx context.Context, req *headgatev1.GetSubscriptionRequest) (*headgatev1.GetSubscriptionResponse, error) {
	name, err := s.own(ctx, req.GetName())
	if err != nil {
		return nil, s.statusOf(err)
	}
	resp, err := s.getSubscription(ctx, name)
	return resp, s.statusOf(err)
}

func (s *Service) getSubscription(ctx context.Context, name subscription.Name) (*headgatev1.GetSubscriptionResponse, error) {
	v, err := s.viewOf(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	st, err := s.opt.Subscriptions.Get(name)
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, []subscription.Status{st}, &v)[0], nil
}

// ListSubscriptions implements headgate.v1.SubscriptionService.
func (s *Service) ListSubscriptions(ctx context.Context, _ *headgatev1.ListSubscriptionsRequest) (*headgatev1.ListSubscriptionsResponse, error) {
	v, err := s.viewOf(ctx, nil, nil)
	if err != nil {
		return nil, s.statusOf(err)
	}
	resp := &headgatev1.ListSubscriptionsResponse{}
	if s.opt.Subscriptions == nil {
		return resp, nil
	}
	own := s.opt.Subscriptions.Of(s.opt.Caller(ctx).Reader)
	for _, one := range s.shown(ctx, own, &v) {
		resp.Subscriptions = append(resp.Subscriptions, one.GetSubscription())
	}
	return resp, nil
}

// DeleteSubscription implements headgate.v1.SubscriptionService.
func (s *Service) DeleteSubscription(ctx context.Context, req *headgatev1.DeleteSubscriptionRequest) (*headgatev1.DeleteSubscriptionResponse, error) {
	name, err := s.own(ctx, req.GetName())
	if err != nil {
		return nil, s.statusOf(err)
	}
	return &headgatev1.DeleteSubscriptionResponse{}, s.DeleteOf(ctx, name)
}

// DeleteOf deletes any reader's subscription.
func (s *Service) DeleteOf(ctx context.Context, name subscription.Name) error {
	err := s.opt.Subscriptions.Delete(ctx, name)
	if err == nil {
		s.audit(ctx, "subscription deleted", name)
	}
	return s.statusOf(err)
}

// SaveCursors implements headgate.v1.SubscriptionService.
func (s *Service) SaveCursors(ctx context.Context, req *headgatev1.SaveCursorsRequest) (*headgatev1.SaveCursorsResponse, error) {
	return &headgatev1.SaveCursorsResponse{}, s.statusOf(s.saveCursors(ctx, req))
}

func (s *Service) saveCursors(ctx context.Context, req *headgatev1.SaveCursorsRequest) error {
	name, err := s.own(ctx, req.GetName())
	if err != nil {
		return err
	}
	n := len(req.GetSaves())
	if n == 0 || n > subscription.MaxShards {
		return invalid("saves", fmt.Sprintf("say what to save, for 1 to %d shards", subscription.MaxShards))
	}
	v, err := s.viewOf(ctx, nil, nil)
	if err != nil {
		return err
	}
	between := s.between(ctx, &v, n)
	saves, of := make([]subscription.Saving, n), make(map[uint32]bool, n)
	for i, one := range req.GetSaves() {
		if of[one.GetShard()] {
			return invalid("saves.shard", "a shard is named twice")
		}
		of[one.GetShard()] = true
		if saves[i], err = s.savingOf(one); err != nil {
			return err
		}
		saves[i].Between = between
	}
	errs := make([]error, n)
	var wg sync.WaitGroup // side by side, so that they share a sync
	for i := 1; i < n; i++ {
		wg.Go(func() { errs[i] = s.opt.Subscriptions.Save(ctx, name, saves[i]) })
	}
	errs[0] = s.opt.Subscriptions.Save(ctx, name, saves[0])
	wg.Wait()
	var lost []string
	for i, err := range errs {
		switch {
		case errors.Is(err, subscription.ErrLeaseLost):
			lost = append(lost, strconv.Itoa(saves[i].Shard))
		case err != nil:
			return err
		}
	}
	if len(lost) > 0 {
		return errLeaseLost(lost)
	}
	return nil
}

// backReads is how often the log is read at most to find out whether positions may go back, once for each. A save does not count against the limit of requests,
// so it must not cost much more than one that goes forward. To count only those that go back over others' records would tell of these.
const backReads = 4

// between returns what says whether a position may not go back from one place to another: when the caller may know of a record between the two. Were it told of
// others', it could find out when there were any. What is removed, or too far to look for, does not count: what comes again does no harm.
func (s *Service) between(ctx context.Context, v *view, saves int) func(after, through uint64) bool {
	if v.grant.Everything() {
		return nil
	}
	var mu sync.Mutex // the shards of one call share its work
	left := &budget{reads: min(saves, backReads), frames: pageBudget}
	return func(after, through uint64) bool {
		mu.Lock()
		defer mu.Unlock()
		_, found := s.nextOwn(ctx, v, after, through, left)
		return found
	}
}

func (s *Service) savingOf(one *headgatev1.ShardSave) (subscription.Saving, error) {
	sv := subscription.Saving{Shard: int(one.GetShard()), Lease: one.GetLease(), Release: one.GetRelease(), AllowBack: one.GetAllowBack()}
	switch {
	case one.GetCursor() == "" && sv.Lease == "":
		return sv, invalid("saves.cursor", "say which; it can be left out only with a lease")
	case sv.Lease == "" && sv.Release:
		return sv, invalid("saves.release", "there is nothing to release without a lease")
	case sv.Lease != "" && sv.AllowBack:
		return sv, invalid("saves.allow_back", "under a lease the position only goes forward; to go back, seek")
	}
	if cursor := one.GetCursor(); cursor != "" {
		seq, err := s.log.Locate(cursor)
		if err != nil {
			return sv, err
		}
		sv.Place = &subscription.Place{Seq: seq, Cursor: cursor}
	}
	return sv, nil
}

// SeekSubscription implements headgate.v1.SubscriptionService.
func (s *Service) SeekSubscription(ctx context.Context, req *headgatev1.SeekSubscriptionRequest) (*headgatev1.SeekSubscriptionResponse, error) {
	return &headgatev1.SeekSubscriptionResponse{}, s.statusOf(s.seekSubscription(ctx, req))
}

func (s *Service) seekSubscription(ctx context.Context, req *headgatev1.SeekSubscriptionRequest) error {
	name, err := s.own(ctx, req.GetName())
	if err != nil {
		return err
	}
	to, err := s.askedPosition(ctx, req.GetStart())
	if err != nil {
		return err
	}
	shard := -1
	if req.Shard != nil {
		shard = int(req.GetShard())
	}
	if err := s.opt.Subscriptions.Seek(ctx, name, shard, to); err != nil {
		return err
	}
	s.audit(ctx, "subscription sought", name, "shard", shard)
	return nil
}

// SkipEvent implements headgate.v1.SubscriptionService.
func (s *Service) SkipEvent(ctx context.Context, req *headgatev1.SkipEventRequest) (*headgatev1.SkipEventResponse, error) {
	name, err := s.own(ctx, req.GetName())
	if err != nil {
		return nil, s.statusOf(err)
	}
	v, err := s.viewOf(ctx, nil, nil)
	if err != nil {
		return nil, s.statusOf(err)
	}
	skip, err := s.skipEvent(ctx, name, &v, req.GetCursor(), req.GetReason())
	return &headgatev1.SkipEventResponse{Skip: skip}, err
}

// SkipOf leaves out an event of any reader's subscription, for an operator, who may know of every event.
func (s *Service) SkipOf(ctx context.Context, name subscription.Name, cursor, reason string) (*headgatev1.Skip, error) {
	return s.skipEvent(ctx, name, &view{predicate: new(filter.Predicate), grant: everything{}}, cursor, reason)
}

func (s *Service) skipEvent(ctx context.Context, name subscription.Name, v *view, cursor, reason string) (*headgatev1.Skip, error) {
	if reason == "" {
		return nil, invalid("reason", "say why, for whoever looks at the list later")
	}
	if err := checkPrintable("reason", reason, maxReason); err != nil {
		return nil, err
	}
	st, err := s.opt.Subscriptions.Get(name)
	if err != nil {
		return nil, s.statusOf(err)
	}
	f, err := s.readable(ctx, v, cursor)
	if err != nil {
		return nil, s.statusOf(err)
	}
	caller, shard := s.opt.Caller(ctx), int(f.Keys.Shard%uint64(len(st.Shards)))
	skip, err := s.opt.Subscriptions.Skip(ctx, name, shard, subscription.Place{Seq: f.Seq, Cursor: cursor}, reason, caller.Reader+", "+caller.Credential)
	if errors.Is(err, subscription.ErrBehind) {
		return nil, fault.New(codes.FailedPrecondition, fault.CursorBehind, "the event has been handled: the saved position stands behind it")
	} else if err != nil {
		return nil, s.statusOf(err)
	}
	s.audit(ctx, "event skipped", name, "shard", shard, "cursor", cursor)
	return skipOf(&skip), nil
}
