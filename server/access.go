package server

import (
	"context"
	"log/slog"

	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/access"
	"github.com/headgate/headgate/server/internal/feed"
)

// needs says what a caller must be for each gRPC method, and for each page of the pprof listener. REST goes through the same methods. One that is missing here is for nobody, and
// TestEveryMethodHasARule fails.
var needs = map[string]access.Need{
	headgatev1.EventService_Subscribe_FullMethodName:   access.NeedReader,
	headgatev1.EventService_ListEvents_FullMethodName:  access.NeedReader,
	headgatev1.EventService_GetEvent_FullMethodName:    access.NeedReader,
	headgatev1.EventService_DescribeLog_FullMethodName: access.NeedReader,

	headgatev1.SubscriptionService_CreateSubscription_FullMethodName: access.NeedReader,
	headgatev1.SubscriptionService_GetSubscription_FullMethodName:    access.NeedReader,
	headgatev1.SubscriptionService_ListSubscriptions_FullMethodName:  access.NeedReader,
	headgatev1.SubscriptionService_DeleteSubscription_FullMethodName: access.NeedReader,
	headgatev1.SubscriptionService_SaveCursors_FullMethodName:        access.NeedReaderOften,
	headgatev1.SubscriptionService_SeekSubscription_FullMethodName:   access.NeedReader,
	headgatev1.SubscriptionService_SkipEvent_FullMethodName:          access.NeedReader,

	adminv1.AdminService_GetStatus_FullMethodName:            access.NeedOperatorOften,
	adminv1.AdminService_GetHistory_FullMethodName:           access.NeedOperatorOften,
	adminv1.AdminService_ListStreams_FullMethodName:          access.NeedOperatorOften,
	adminv1.AdminService_EndStream_FullMethodName:            access.NeedOperator,
	adminv1.AdminService_ListSubscriptions_FullMethodName:    access.NeedOperatorOften,
	adminv1.AdminService_DeleteSubscription_FullMethodName:   access.NeedOperator,
	adminv1.AdminService_SkipEvent_FullMethodName:            access.NeedOperator,
	adminv1.AdminService_ListQuarantine_FullMethodName:       access.NeedOperator,
	adminv1.AdminService_GetQuarantined_FullMethodName:       access.NeedOperator,
	adminv1.AdminService_ReprocessQuarantined_FullMethodName: access.NeedOperator,
	adminv1.AdminService_DiscardQuarantined_FullMethodName:   access.NeedOperator,
	adminv1.AdminService_Backup_FullMethodName:               access.NeedOperator,
	adminv1.AdminService_Erase_FullMethodName:                access.NeedOperator,

	// What the pprof listener serves, where it is not on loopback.
	pprofIndex:                  access.NeedOperator,
	pprofIndex + "profile":      access.NeedOperator,
	pprofIndex + "trace":        access.NeedOperator,
	pprofIndex + "heap":         access.NeedOperator,
	pprofIndex + "allocs":       access.NeedOperator,
	pprofIndex + "goroutine":    access.NeedOperator,
	pprofIndex + "threadcreate": access.NeedOperator,

	// Schemas are no secret, but who explores them should be somebody known.
	reflectionv1.ServerReflection_ServerReflectionInfo_FullMethodName:      access.NeedReader,
	reflectionv1alpha.ServerReflection_ServerReflectionInfo_FullMethodName: access.NeedReader,

	// Load balancers ask for health without credentials; it tells nothing else.
	grpc_health_v1.Health_Check_FullMethodName: access.NeedNothing,
	grpc_health_v1.Health_List_FullMethodName:  access.NeedNothing,
	grpc_health_v1.Health_Watch_FullMethodName: access.NeedNothing,
}

// grantOf is how the feed learns what a caller may read.
func grantOf(ctx context.Context) feed.Grant {
	if s := access.SessionOf(ctx); s != nil {
		return s
	}
	return nil
}

// enter is the guard's, and remembers whose connection it is.
func (s *Server) enter(ctx context.Context, what string) (leave func(), err error) {
	if leave, err = s.guard.Enter(ctx, what); err == nil {
		s.unknown.isKnown(ctx)
	}
	return leave, err
}

// audit writes down what the caller did.
func audit(ctx context.Context, what string, more ...any) {
	by := callerOf(ctx)
	slog.Info(what, append([]any{"log", "audit", "by", by.Reader, "credential", by.Credential, "remote", by.Remote}, more...)...)
}

// callerOf is how the feed learns who calls.
func callerOf(ctx context.Context) feed.Caller {
	c := feed.Caller{Remote: access.RemoteOf(ctx)}
	if s := access.SessionOf(ctx); s != nil {
		c.Reader, c.Credential, c.Operator = s.Reader.Name, s.Credential, s.Operator()
	}
	return c
}
