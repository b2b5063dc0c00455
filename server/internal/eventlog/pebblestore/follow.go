package pebblestore

import (
	"bytes"
	"context"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// Follow implements eventlog.Engine. Whoever keeps up is handed the committed records as they are; whoever is behind reads the store.
func (s *Store) Follow(ctx context.Context, after uint64, fn func([]eventlog.Stored) error) error {
	for {
		group, changed := s.handOver(after)
		if len(group) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
				continue
			default:
			}
			if s.State().Head <= after {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-changed:
				}
				continue
			}
			var err error
			if group, err = s.readGroup(ctx, after); err != nil {
				return err
			}
		}
		if err := fn(group); err != nil {
			return err
		}
		after = group[len(group)-1].Seq
	}
}

// handOver takes the records after the sequence out of recent, if they begin there.
func (s *Store) handOver(after uint64) ([]eventlog.Stored, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := s.recent
	s.recent, s.recentBytes = nil, 0
	for len(recent) > 0 && recent[0].Seq <= after {
		recent = recent[1:]
	}
	if len(recent) > 0 && recent[0].Seq != after+1 {
		return nil, s.changed
	}
	return recent, s.changed
}

func (s *Store) readGroup(ctx context.Context, after uint64) ([]eventlog.Stored, error) {
	var group []eventlog.Stored
	size := 0
	_, err := s.Read(ctx, after, nil, func(st eventlog.Stored) bool {
		st.Body = bytes.Clone(st.Body)
		group = append(group, st)
		size += len(st.Body)
		return len(group) < 1024 && size < 4<<20
	})
	if len(group) > 0 {
		return group, nil // what stands before an error is whole; the next read meets it again
	}
	return nil, err
}
