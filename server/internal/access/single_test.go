package access

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestTurnsAfterTheGrant: a call that waited for its turn is not answered under a grant that is gone by then.
func TestTurnsAfterTheGrant(t *testing.T) {
	c := NewControl(policy(t, byToken("many", "many", Rule{})))
	s, err := c.Begin(t.Context(), Credentials{Bearer: "many"}, "192.0.2.1:1", Single)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Done()
	for range cap(s.turns()) {
		s.turns() <- struct{}{}
	}
	waited := make(chan error, 1)
	go func() {
		_, err := inTurn(context.WithValue(t.Context(), sessionKey{}, s), nil, nil, func(context.Context, any) (any, error) { return nil, nil })
		waited <- err
	}()
	c.Replace(policy(t))
	<-s.turns()
	if err := <-waited; status.Code(err) != codes.Unavailable {
		t.Errorf("it was answered, or got %v", err)
	}
}

// TestAnswersTakeTurns: of a reader's calls few are answered at a time, each of an operator's at once, and who gives up is not waited for.
func TestAnswersTakeTurns(t *testing.T) {
	const calls = 20
	operator := byToken("chief", "chief", Rule{})
	operator.Grant = NewGrant([]Rule{{}}, true)
	c := NewControl(policy(t, byToken("many", "many", Rule{}), operator))
	session := func(token string) context.Context {
		s, err := c.Begin(t.Context(), Credentials{Bearer: token}, "192.0.2.1:1", Single)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Done)
		return context.WithValue(t.Context(), sessionKey{}, s)
	}
	turns := max(1, runtime.GOMAXPROCS(0)/2)
	for token, want := range map[string]int{"many": turns, "chief": calls} {
		var mu sync.Mutex
		answering, most := 0, 0
		begun, release := make(chan struct{}, calls), make(chan struct{})
		answer := func(context.Context, any) (any, error) {
			mu.Lock()
			answering++
			most = max(most, answering)
			mu.Unlock()
			begun <- struct{}{}
			<-release
			mu.Lock()
			answering--
			mu.Unlock()
			return nil, nil
		}
		var all sync.WaitGroup
		for range calls {
			ctx := session(token)
			all.Go(func() { _, _ = inTurn(ctx, nil, nil, answer) })
		}
		for range want {
			<-begun
		}
		if token == "many" {
			gone, cancel := context.WithCancel(session(token))
			cancel()
			if _, err := inTurn(gone, nil, nil, answer); status.Code(err) != codes.Canceled {
				t.Errorf("who gave up got %v", err)
			}
		}
		close(release)
		all.Wait()
		if most != want {
			t.Errorf("%s: %d calls were answered at once, want %d", token, most, want)
		}
	}
}
