package feed

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// documentedErrors reads the table of errors in the contract: reason to status code.
func documentedErrors(t *testing.T) map[string]codes.Code {
	t.Helper()
	text, err := os.ReadFile("../../../proto/headgate/v1/event_service.proto")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]codes.Code{}
	for _, row := range regexp.MustCompile(`(?m)^//   ([A-Z_]+) +([A-Z_]+) +\S`).FindAllStringSubmatch(string(text), -1) {
		var code codes.Code
		if err := code.UnmarshalJSON([]byte(strconv.Quote(row[2]))); err != nil {
			t.Fatal(err)
		}
		table[row[1]] = code
	}
	return table
}

// reasonConstants reads the reasons that package fault has constants for.
func reasonConstants(t *testing.T) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../fault/fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, _ := strconv.Unquote(lit.Value); s == strings.ToUpper(s) {
					list = append(list, s)
				}
			}
		}
		return true
	})
	return list
}

// TestErrorsAreAsDocumented provokes every row of the contract's table, and holds the table against the constants.
func TestErrorsAreAsDocumented(t *testing.T) {
	const secret = "/var/lib/headgate/000042.sst"
	broken := func(err error) *gateway {
		g := newGateway(t, withStep(func(call string, after uint64) error {
			if call == "Read" && after == 0 {
				return err
			}
			return nil
		}))
		g.append(event(1))
		return g
	}
	first := func(g *gateway) error {
		_, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{})
		streamed := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()}).endAfterStarted()
		if a, b := status.Convert(err), status.Convert(streamed); a.Code() != b.Code() || a.Message() != b.Message() {
			t.Errorf("a page fails with %v, a stream with %v", err, streamed)
		}
		return err
	}
	plain := newGateway(t, named)
	if _, err := plain.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "there", Start: latest()}); err != nil {
		t.Fatal(err)
	}
	provoke := map[string]func() error{
		fault.StartRequired:   func() error { return plain.refused(&headgatev1.SubscribeRequest{}) },
		fault.FilterInvalid:   func() error { return plain.refused(&headgatev1.SubscribeRequest{Start: latest(), OnLostCursor: 9}) },
		fault.CursorMalformed: func() error { return plain.refused(&headgatev1.SubscribeRequest{Start: after("?")}) },
		fault.CursorForeign:   func() error { return plain.refused(&headgatev1.SubscribeRequest{Start: after(foreign(t))}) },
		fault.CursorExpired: func() error {
			g := newGateway(t)
			g.append(event(1))
			g.trim(1)
			return g.refused(&headgatev1.SubscribeRequest{Start: after(g.log.Cursor(0))})
		},
		fault.EventNotFound: func() error {
			_, err := plain.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: plain.log.Cursor(0)})
			return err
		},
		fault.Draining: func() error {
			g := newGateway(t)
			g.feed.Drain()
			return g.refused(&headgatev1.SubscribeRequest{Start: latest()})
		},
		fault.Limit: func() error {
			g := newGateway(t, func(s *setup) { s.feed.MaxStreams = -1 })
			return g.refused(&headgatev1.SubscribeRequest{Start: latest()})
		},
		fault.Unavailable: func() error { return first(broken(errors.New("open " + secret + ": too many open files"))) },
		fault.Unauthenticated: func() error {
			g := newGateway(t, func(s *setup) { s.feed.Grant = func(context.Context) Grant { return nil } })
			return g.refused(&headgatev1.SubscribeRequest{Start: latest()})
		},
		fault.ContextForbidden: func() error {
			g := newGateway(t, under(onlyRelations{}))
			return g.refused(&headgatev1.SubscribeRequest{Start: latest(), Filter: &headgatev1.Filter{Entities: []string{"associate"}}})
		},
		fault.RawBodyForbidden: func() error {
			g := newGateway(t, under(onlyRelations{}))
			g.append(event(1))
			_, err := g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: g.log.Cursor(1), IncludeRawBody: true})
			return err
		},
		fault.SubscriptionNotFound: func() error {
			_, err := plain.named.GetSubscription(t.Context(), &headgatev1.GetSubscriptionRequest{Name: "nowhere"})
			return err
		},
		fault.SubscriptionExists: func() error {
			_, err := plain.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "there", Start: latest()})
			return err
		},
		fault.SubscriptionMismatch: func() error {
			return plain.refused(&headgatev1.SubscribeRequest{Subscription: "there", SubscriptionShards: 2, Start: savedOr(nil)})
		},
		fault.LeaseLost: func() error {
			_, err := plain.named.SaveCursors(t.Context(), saving("there", &headgatev1.ShardSave{Lease: "x", Cursor: plain.log.Cursor(0)}))
			return err
		},
		fault.CursorBehind: func() error {
			g := newGateway(t, named)
			g.append(event(1))
			if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "ahead", Start: latest()}); err != nil {
				t.Fatal(err)
			}
			_, err := g.named.SaveCursors(t.Context(), saving("ahead", &headgatev1.ShardSave{Cursor: g.log.Cursor(0)}))
			return err
		},
		fault.DataLoss: func() error {
			return first(broken(&eventlog.DamageError{From: 1, To: 1, Cause: "checksum of " + secret}))
		},
	}
	documented := documentedErrors(t)
	if a, b := slices.Sorted(maps.Keys(documented)), slices.Sorted(slices.Values(reasonConstants(t))); !slices.Equal(a, b) {
		t.Errorf("the contract has the reasons %v, the code %v", a, b)
	}
	delete(documented, fault.OperatorOnly) // AdminService's, and provoked there
	for reason, code := range documented {
		f := provoke[reason]
		if f == nil {
			t.Errorf("%s is documented, and nothing provokes it here", reason)
			continue
		}
		err := f()
		_, retry := wantFailure(t, err, code, reason)
		if wants := code == codes.Unavailable || code == codes.ResourceExhausted; wants != (retry.GetRetryDelay().AsDuration() > 0) {
			t.Errorf("%s: RetryInfo %v", reason, retry)
		}
		if text := fmt.Sprint(err, status.Convert(err).Details()); strings.Contains(text, secret) {
			t.Errorf("%s tells the reader %q", reason, text)
		}
	}
}

// TestErrorsOfTheLogDoNotLeak: whatever an error of the log says, the reader is told no more than the table's words.
func TestErrorsOfTheLogDoNotLeak(t *testing.T) {
	g := newGateway(t)
	const secret = "/var/lib/headgate"
	for _, cause := range []error{
		eventlog.ErrFailed, eventlog.ErrFull, eventlog.ErrBusy, eventlog.ErrTrimmed, eventlog.ErrDamaged, eventlog.ErrNotFound,
		context.Canceled, context.DeadlineExceeded, errors.New("unheard of"), status.Error(codes.Internal, secret),
	} {
		err := g.feed.statusOf(fmt.Errorf("%s: %w", secret, cause))
		if st := status.Convert(err); strings.Contains(st.Message(), secret) || st.Code() == codes.Unknown || st.Code() == codes.OK {
			t.Errorf("%v becomes %v", cause, err)
		}
	}
	if err := g.feed.statusOf(nil); err != nil {
		t.Error(err)
	}
}
