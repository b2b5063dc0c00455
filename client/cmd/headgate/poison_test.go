package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestPoisonIsFoundByHand: what the page says about an event that cannot be handled, where nothing told its cursor. The record has three of them, two of
// them one after the other.
func TestPoisonIsFoundByHand(t *testing.T) {
	startServer(t)
	for _, count := range []string{"1", "1", "20"} {
		if _, _, err := headgate(t, nil, "send", "relation.created", "associate.created", "--count", count); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.Dial(os.Getenv("HEADGATE_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	shard := ""
	for n := range 3 {
		told := consumeToPoison(t, c)
		at, found := firstOfPoison(t)
		if found == "" || found != told {
			t.Fatalf("found %q by hand, the handler failed at %q", found, told)
		}
		out, _, err := headgate(t, nil, "subscription", "skip", "billing", "--cursor="+found, "--reason", "poison")
		if err != nil || !strings.HasPrefix(out, "left out of shard "+at+" of billing") || n > 0 && at != shard {
			t.Errorf("after shard %q: wrote %q, %v", shard, out, err)
		}
		shard = at
	}
	if cursor := consumeToPoison(t, c); cursor != "" {
		t.Errorf("there is still poison at %s", cursor)
	}
}

const poisoned = 20 // the first record that is sent

// consumeToPoison handles events until the handling of the record fails, and returns the cursor; "" when there is none.
func consumeToPoison(t *testing.T, c *client.Client) (cursor string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	err := c.Consume(ctx, client.Subscription{
		Name: "billing", Shards: 8, Start: client.Earliest(), Filter: &headgatev1.Filter{Entities: []string{client.EntityRelation}}, StopWhenCaughtUp: true,
		OnFailure: func(m client.Message, _ error, _ time.Duration) { cursor = m.Cursor(); stop() },
	}, func(_ context.Context, m client.Message) error {
		if m.Event.GetPrimaryKey() == poisoned {
			return errors.New("not this one")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cursor
}

// firstOfPoison looks in each shard at the first event after the saved cursor that was not skipped, as the commands show them.
func firstOfPoison(t *testing.T) (shard, cursor string) {
	t.Helper()
	shown, _, err := headgate(t, nil, "subscription", "get", "billing")
	table, skips, _ := strings.Cut(shown, "\nSKIPPED")
	shards := regexp.MustCompile(`(?m)^ *(\d+) .* (\S+)$`).FindAllStringSubmatch(table, -1)
	if err != nil || len(shards) != 8 {
		t.Fatalf("%d shards in\n%s%v", len(shards), shown, err)
	}
	for _, s := range shards {
		out, _, err := headgate(t, nil, "tail", "--after="+s[2], fmt.Sprintf("--shard=%s/8", s[1]), "--entity", "relation", "--until-caught-up", "-v")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out) {
			cursor := strings.Fields(line)[1]
			if strings.Contains(skips, cursor) {
				continue
			}
			if strings.Contains(line, fmt.Sprintf("#%d ", poisoned)) {
				return s[1], cursor
			}
			break
		}
	}
	return "", ""
}
