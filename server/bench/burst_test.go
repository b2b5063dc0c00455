//go:build linux || darwin

package bench

import (
	"fmt"
	"syscall"
	"testing"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// burst is events that are all there when the readers come. It is measured from the opening of their streams, on connections that there are already,
// to the last event.
type burst struct {
	title                        string
	readers, connections, events int
	contexts                     int
	variants                     []string
	// ask is the request of a reader; matches says what it gets, nil: everything.
	ask     func(reader int) []byte
	matches func(reader int, key uint32) bool
}

// BenchmarkBurst100: 100 readers, each on a connection of its own.
func BenchmarkBurst100(b *testing.B) {
	s := theSizes()
	r := (&burst{
		title: "burst-100", readers: 100, connections: 100, events: s.events, variants: []string{send, headgate, rawTCP, natsCore},
	}).run(b)
	targets.burst.measured = r.ratios(cpuPerDelivery, headgate, send)
	targets.burstTCP.measured = r.ratios(cpuPerDelivery, headgate, rawTCP)
	targets.burstNATS.measured = r.ratios(cpuPerDelivery, headgate, natsCore)
}

// BenchmarkBurst1000: 1,000 readers, each on a connection of its own, or on 100 where a process may not have so many files open.
func BenchmarkBurst1000(b *testing.B) {
	s := theSizes()
	connections := s.crowd
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		b.Fatal(err)
	}
	if files.Max < uint64(2*connections) {
		connections = 100
	}
	r := (&burst{
		title: "burst-1000", readers: s.crowd, connections: connections, events: s.crowdEvents, variants: []string{send, headgate},
	}).run(b)
	targets.burstCrowd.measured = r.ratios(cpuPerDelivery, headgate, send)
}

// BenchmarkBurst10000: 10,000 readers on 100 connections.
func BenchmarkBurst10000(b *testing.B) {
	s := theSizes()
	r := (&burst{
		title: "burst-10000", readers: s.throng, connections: 100, events: s.throngEvents, variants: []string{send, headgate},
	}).run(b)
	targets.burstThrong.measured = r.ratios(cpuPerDelivery, headgate, send)
}

// BenchmarkScattered: the events are of 64 tenants in mixed order, and each reader's filter names 32 of them, others than another reader's.
func BenchmarkScattered(b *testing.B) {
	s := theSizes()
	wants := func(reader, context int) bool { return mixed(reader+context/2*1000)&1 == uint64(context&1) } // one of each two
	r := (&burst{
		title: "scattered", readers: 100, connections: 100, events: s.events, contexts: scattered, variants: []string{send, headgate},
		ask: func(reader int) []byte {
			f := &headgatev1.Filter{}
			for c := range scattered {
				if wants(reader, c) {
					f.Contexts = append(f.Contexts, fmt.Sprint("Cust", c))
				}
			}
			return request(f)
		},
		matches: func(reader int, key uint32) bool { return wants(reader, int(mixed(int(key))%scattered)) },
	}).run(b)
	targets.burstScattered.measured = r.ratios(cpuPerDelivery, headgate, send)
}

// usual is what the gateway's readers ask for where it makes no difference.
func usual() *headgatev1.Filter {
	return &headgatev1.Filter{Sources: []string{source}, Contexts: []string{tenant}, Entities: []string{"relation"}, Actions: []string{"created", "changed"}}
}

// requests are those of the readers. The plain server has nothing to filter by unless the readers differ.
func (s *burst) requests(variant string) [][]byte {
	if s.ask == nil {
		if variant == headgate {
			return repeat(s.readers, request(usual()))
		}
		return repeat(s.readers, request(nil))
	}
	list := make([][]byte, s.readers)
	for i := range list {
		list[i] = s.ask(i)
	}
	return list
}

// deliveries is how many there are.
func (s *burst) deliveries() int {
	if s.matches == nil {
		return s.events * s.readers
	}
	n := 0
	for reader := range s.readers {
		for key := range s.events {
			if s.matches(reader, uint32(key+1)) {
				n++
			}
		}
	}
	return n
}

func (s *burst) run(b *testing.B) *results {
	r := newResults(fmt.Sprintf("%s: %d events to %d readers on %d connections", s.title, s.events, s.readers, s.connections), send, s.variants, cpuPerDelivery)
	total := s.deliveries()
	inTurns(theSizes().rounds, s.variants, func(round int, variant string) {
		p := startPeer(b, variant)
		p.give(s.events, s.contexts)
		readers, requests := connect(p, s.connections, tuning{}), s.requests(variant)
		if variant == natsCore { // which keeps nothing for those who come later
			readers.mustOpen(requests)
		} else if p.holds() {
			p.ask("publish %d 0", s.events)
		}
		taken := p.measure(s.title, variant, round, func() error {
			if variant == natsCore {
				p.ask("publish %d 0", s.events)
			} else if err := readers.open(requests); err != nil {
				return err
			}
			return readers.await(&readers.events, total)
		})
		r.addSample(variant, taken, total, cpuPerDelivery)
		r.addBatch(variant, readers)
		readers.finish(p, orderOf(p, s.events), s.matches)
	})
	r.done(b)
	return r
}
