package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/feed"
	"github.com/headgate/headgate/server/internal/rest"
)

// adminPages is what the admin listener serves.
//
//	/metrics  Prometheus; 503 beside two that are asked already
//	/healthz  503 when only a restart helps
//	/readyz   503 while webhooks are not accepted
//
// Without readers the metrics are only for requests to a name of this machine, as REST is: a page on the web could make its own name one of this machine.
func (s *Server) adminPages() http.Handler {
	mux := http.NewServeMux()
	// Whoever collects comes every few seconds; what comes beside two of them is told to try again.
	metrics := promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if len(s.cfg.Readers) == 0 && !rest.IsLoopback(r.Host) {
			http.Error(w, "the host is not a name of this machine: no readers are configured, so only localhost, 127.0.0.1 and [::1] are served", http.StatusForbidden)
			return
		}
		metrics.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		err := s.log.State().Err
		if !errors.Is(err, eventlog.ErrFailed) {
			err = nil
		}
		answerHealth(w, err)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answerHealth(w, s.problem()) })
	return mux
}

func answerHealth(w http.ResponseWriter, problem error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if problem != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(problem.Error() + "\n"))
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// sourceStatus and streamStatus put the rooms' own figures into the operators' words.

func (s *Server) sourceStatus() []*adminv1.SourceStatus {
	var list []*adminv1.SourceStatus
	rates := s.rates.perSecond(time.Now())
	for _, st := range s.webhook.Status() {
		up := s.upstream.Status(st.Name)
		list = append(list, &adminv1.SourceStatus{
			Source: st.Name, Contexts: st.Contexts,
			Accepted: st.Accepted, Duplicates: st.Duplicates, Quarantined: st.Quarantined, Refused: st.Refused, Tests: st.Tests,
			LastAcceptedAt: timestamp(st.LastAccepted), LastTestAt: timestamp(st.LastTest),
			RefusedByCause: st.RefusedBy, LastSecretId: st.LastSecret, AwaitingSecretUntil: timestamp(st.AwaitingSecretUntil), Stopped: st.Stopped,
			LastHeardAt: timestamp(up.LastHeard), ExpectedBy: timestamp(up.ExpectedBy), Suspected: up.Suspected, SuspectedGaps: up.Gaps, LastSuspected: up.Last,
			AcceptedPerSecond: rates[acceptedBy+st.Name], UnauthenticatedInARow: st.Unauthenticated,
		})
	}
	return list
}

// What rates are of: events sent, and webhooks accepted by a source of the name that follows.
const (
	eventsSent = "sent"
	acceptedBy = "accepted by "
)

// counts is what rates are made of.
func (s *Server) counts() map[string]uint64 {
	n := map[string]uint64{eventsSent: s.feed.Sent()}
	for _, st := range s.webhook.Status() {
		n[acceptedBy+st.Name] = st.Accepted
	}
	return n
}

func (s *Server) sentStatus() (events uint64, perSecond float64) {
	return s.feed.Sent(), s.rates.perSecond(time.Now())[eventsSent]
}

// certificateEnds is when the certificate in force does, zero where no listener speaks TLS.
func (s *Server) certificateEnds() time.Time {
	if s.tls == nil {
		return time.Time{}
	}
	return s.tls.Load().notAfter
}

func (s *Server) streamStatus(ctx context.Context) []*adminv1.Stream {
	var list []*adminv1.Stream
	for _, st := range s.feed.Streams(ctx) {
		list = append(list, streamOf(&st))
	}
	return list
}

func streamOf(st *feed.StreamStatus) *adminv1.Stream {
	return &adminv1.Stream{
		Id: st.ID, ClientName: st.ClientName, Peer: st.Caller.Remote, Reader: st.Caller.Reader, Credential: st.Caller.Credential,
		StartedAt: timestamppb.New(st.StartedAt), Filter: st.Filter, Subscription: st.Subscription,
		EventsSent: st.EventsSent, Lag: durationpb.New(st.Lag), CaughtUp: st.CaughtUp, Cursor: st.Cursor, State: stateNames[st.State],
	}
}

var stateNames = map[feed.State]adminv1.Stream_State{
	feed.Live: adminv1.Stream_STATE_LIVE, feed.Replaying: adminv1.Stream_STATE_REPLAYING,
	feed.Stalled: adminv1.Stream_STATE_STALLED, feed.Standby: adminv1.Stream_STATE_STANDBY,
}

// endStream ends one stream; nil when none of the id is being served.
func (s *Server) endStream(ctx context.Context, id string) *adminv1.Stream {
	st, found := s.feed.EndStream(ctx, id)
	if !found {
		return nil
	}
	return streamOf(&st)
}

func (s *Server) subscriptionStatus(ctx context.Context) []*adminv1.ReaderSubscription {
	var list []*adminv1.ReaderSubscription
	for _, st := range s.feed.Subscriptions(ctx) {
		list = append(list, &adminv1.ReaderSubscription{Reader: st.Reader, Subscription: st.GetSubscription(), Shards: st.GetShards()})
	}
	return list
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
