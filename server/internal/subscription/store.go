package subscription

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"
)

// Store keeps values under keys. It is all that is asked of wherever positions are kept, which need not be beside the log: several gateways can share one,
// because a write names the version that it replaces.
type Store interface {
	// List returns all that is kept.
	List(ctx context.Context) ([]Item, error)
	// Put keeps the value, if the key's version is the one given, 0 for a new key; and returns the new version. It is durable on return. ErrConflict.
	Put(ctx context.Context, key string, value []byte, version uint64) (uint64, error)
	// Delete removes the key, whatever its version.
	Delete(ctx context.Context, key string) error
}

// Item is one key.
type Item struct {
	Key     string
	Value   []byte
	Version uint64 // never 0
}

// ErrConflict: somebody else has changed the key.
var ErrConflict = errors.New("the value was changed by somebody else")

// kept is a subscription as it is stored: one item for itself and one for each shard. The shards' keys have its id, so that those of a deleted one that had the
// same name are never taken for its own.
type kept struct {
	name    Name
	meta    meta
	version uint64
	shards  []keptShard
}

type keptShard struct {
	saved   saved
	version uint64
}

type meta struct {
	ID        string    `json:"id"`
	Shards    int       `json:"shards"`
	CreatedAt time.Time `json:"created_at"`
	Skips     []Skip    `json:"skips,omitempty"` // oldest first
}

// Skip is an event that was left out.
type Skip struct {
	Cursor string    `json:"cursor"`
	Shard  int       `json:"shard"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// saved is what is kept of a shard.
type saved struct {
	Cursor  string    `json:"cursor"`
	SavedAt time.Time `json:"saved_at,omitzero"`
	// Lease is the last one given, Held whether it is in force.
	Lease uint64 `json:"lease,omitempty"`
	Held  bool   `json:"held,omitempty"`
}

// No name has the separator: readers' names come from a configuration that refuses control characters, subscriptions' are checked at the window.
const separator = "\x00"

func metaKey(n Name) string { return n.Reader + separator + n.Name }

func shardKey(n Name, id string, index int) string {
	return fmt.Sprintf("%s%s%s%s%d", metaKey(n), separator, id, separator, index)
}

func load(ctx context.Context, store Store) ([]*kept, error) {
	items, err := store.List(ctx)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]Item, len(items))
	for _, it := range items {
		byKey[it.Key] = it
	}
	var list []*kept
	for _, it := range items {
		parts := strings.Split(it.Key, separator)
		if len(parts) != 2 {
			continue
		}
		k := &kept{name: Name{parts[0], parts[1]}, version: it.Version}
		if err := open(it.Key, it.Value, &k.meta); err != nil {
			return nil, fmt.Errorf("subscription %s of %s cannot be read: %w", k.name.Name, k.name.Reader, err)
		}
		for i := range k.meta.Shards {
			// The shards are written before it, so they are there.
			key := shardKey(k.name, k.meta.ID, i)
			item := byKey[key]
			sh := keptShard{version: item.Version}
			if err := open(key, item.Value, &sh.saved); err != nil {
				return nil, fmt.Errorf("shard %d of subscription %s of %s cannot be read: %w", i, k.name.Name, k.name.Reader, err)
			}
			k.shards = append(k.shards, sh)
		}
		list = append(list, k)
	}
	return list, nil
}

func create(ctx context.Context, store Store, name Name, shards int, cursor string) (*kept, error) {
	k := &kept{name: name, meta: meta{ID: rand.Text(), Shards: shards, CreatedAt: time.Now().UTC()}}
	k.shards = make([]keptShard, shards)
	var g errgroup.Group // side by side, so that they share a sync
	for i := range k.shards {
		sh := &k.shards[i]
		sh.saved.Cursor = cursor
		g.Go(func() (err error) {
			sh.version, err = put(ctx, store, shardKey(name, k.meta.ID, i), &sh.saved, 0)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var err error
	k.version, err = put(ctx, store, metaKey(name), &k.meta, 0)
	if errors.Is(err, ErrConflict) { // another gateway was first
		err = ErrExists
	}
	return k, err
}

func put(ctx context.Context, store Store, key string, value any, version uint64) (uint64, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return 0, err
	}
	return store.Put(ctx, key, withSum(key, b), version)
}
