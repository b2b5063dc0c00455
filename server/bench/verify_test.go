//go:build linux || darwin

package bench

import "slices"

// finish lets the server go, which must send no more events, and checks what every reader got. order are the keys of all events in their order, matches
// says which of them a reader gets; nil: all.
func (s *sinks) finish(p *peer, order []uint32, matches func(reader int, key uint32) bool) {
	s.b.Helper()
	s.ending.Store(true)
	p.stop()
	s.received.Wait() // the server is gone, so all that it sent has come
	s.close()
	select {
	case err := <-s.failed:
		s.b.Fatalf("%s: %v", s.role, err)
	default:
	}
	for i, c := range s.conns {
		for j, t := range c.tallies {
			reader := i + j*len(s.conns)
			want := order
			if matches != nil {
				want = nil
				for _, k := range order {
					if matches(reader, k) {
						want = append(want, k)
					}
				}
			}
			if err := t.check(want); err != nil {
				s.b.Fatalf("%s: reader %d: %v", s.role, reader, err)
			}
		}
	}
}

// orderOf returns the keys of the first n events in the order in which the server has them, by one more reader.
func orderOf(p *peer, n int) []uint32 {
	p.b.Helper()
	if p.holds() {
		order := make([]uint32, n)
		for i := range order {
			order[i] = uint32(i + 1)
		}
		return order
	}
	s := connect(p, 1, tuning{keep: true})
	s.mustOpen(repeat(1, request(nil)))
	if err := s.await(&s.events, n); err != nil {
		p.b.Fatal(err)
	}
	return s.orderFrom(1, n)
}

// orderFrom closes the connections and returns the keys that the first reader got, which must be the n from first on, in any order.
func (s *sinks) orderFrom(first, n int) []uint32 {
	s.b.Helper()
	s.close()
	t := s.conns[0].tallies[0]
	if t.events != n || t.repeated > 0 || slices.Min(t.keys) != uint32(first) || t.highest != uint32(first+n-1) {
		s.b.Fatalf("%s: a reader got %d events, %d of them twice; there are %d", s.role, t.events, t.repeated, n)
	}
	return t.keys
}

// took is how long events took, of all readers, in nanoseconds.
func (s *sinks) took() (all []int64) {
	for _, c := range s.conns {
		for _, t := range c.tallies {
			all = append(all, t.took...)
		}
	}
	return all
}

// addBatch notes how many events a message had.
func (r *results) addBatch(variant string, s *sinks) {
	if s.role != rawTCP { // which has no messages
		r.add(variant, "events/message", float64(s.events.value.Load())/float64(s.messages.value.Load()))
	}
}
