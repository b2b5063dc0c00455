//go:build linux || darwin

package server_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that countingCodec wraps
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// readers are the subscribers, each on its own connection. They count and check, and decode nothing more than that takes.
type readers struct {
	b                *testing.B
	all              []*reader
	cancel           context.CancelFunc // ends the streams
	events, messages int                // up to the last call of during
}

// newReaders connects them. They are not subscribed yet.
func newReaders(b *testing.B, address string) *readers {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
	b.Cleanup(cancel)
	rs := &readers{b: b, cancel: cancel}
	for range subscribers {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		conn.Connect()
		rs.all = append(rs.all, &reader{ctx: ctx, conn: conn})
	}
	return rs
}

// subscribe returns when every stream has started.
func (rs *readers) subscribe() error { return rs.each((*reader).subscribe) }

// read returns when every subscriber has had that many events in total, all the same in the same order.
func (rs *readers) read(total int) error {
	if err := rs.each(func(r *reader) error { return r.read(total) }); err != nil {
		return err
	}
	return rs.check(total)
}

// readWhile reads while the load is under way. Without the load's events there is nothing to wait for.
func (rs *readers) readWhile(total int, load func() error) error {
	done := make(chan error, 1)
	go func() {
		err := load()
		if err != nil {
			rs.cancel()
		}
		done <- err
	}()
	err := rs.read(total)
	return errors.Join(<-done, err)
}

// during completes a sample of what was read since the last call.
func (rs *readers) during(s sample) sample {
	events, messages := rs.events, rs.messages
	rs.events, rs.messages = 0, 0
	for _, r := range rs.all {
		rs.events += r.events
		rs.messages += r.messages
	}
	s.batch = float64(rs.events-events) / float64(rs.messages-messages)
	return s
}

// finish reads what comes before the streams end, which must be no event, and lets the connections go.
func (rs *readers) finish(total int) {
	rs.b.Helper()
	_ = rs.each(func(r *reader) error { return r.read(math.MaxInt) }) // fails when the stream has ended
	if err := rs.check(total); err != nil {
		rs.b.Fatal(err)
	}
	for _, r := range rs.all {
		_ = r.conn.Close()
	}
}

func (rs *readers) each(do func(*reader) error) error {
	errs := make([]error, len(rs.all))
	var wg sync.WaitGroup
	for i, r := range rs.all {
		wg.Go(func() { errs[i] = do(r) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil { // one tells enough
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	return nil
}

func (rs *readers) check(total int) error {
	for i, r := range rs.all {
		if r.events != total || r.repeated > 0 || r.beyond(total) {
			return fmt.Errorf("subscriber %d got %d events, %d of them twice; there are %d", i, r.events, r.repeated, total)
		}
		if r.order != rs.all[0].order {
			return fmt.Errorf("subscriber %d got the events in another order than subscriber 0", i)
		}
	}
	return nil
}

// reader is one subscriber. The events' primary keys are 1, 2, 3 and so on, in any order.
type reader struct {
	ctx    context.Context
	conn   *grpc.ClientConn
	stream grpc.ClientStream

	events, repeated int
	messages         int // with events
	highest          uint64
	seen             []uint64 // a bit for each primary key
	order            uint64   // a checksum of the primary keys in their order
}

func (r *reader) subscribe() (err error) {
	r.stream, err = r.conn.NewStream(r.ctx, &grpc.StreamDesc{ServerStreams: true}, headgatev1.EventService_Subscribe_FullMethodName,
		grpc.ForceCodecV2(countingCodec{encoding.GetCodecV2("proto")}))
	if err != nil {
		return err
	}
	if err := r.stream.SendMsg(&headgatev1.SubscribeRequest{
		Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}},
		Filter: &headgatev1.Filter{
			Sources: []string{"acme"}, Contexts: []string{"Cust26759"}, Entities: []string{"relation"}, Actions: []string{"created", "changed"},
		},
	}); err != nil {
		return err
	}
	return errors.Join(r.stream.CloseSend(), r.stream.RecvMsg(r)) // Started
}

func (r *reader) read(total int) error {
	for r.events < total {
		if err := r.stream.RecvMsg(r); err != nil {
			return fmt.Errorf("after %d of %d events: %w", r.events, total, err)
		}
	}
	return nil
}

func (r *reader) beyond(total int) bool { return r.highest > uint64(total) }

// countingCodec hands a received message to the reader as it is.
type countingCodec struct{ encoding.CodecV2 }

func (countingCodec) Unmarshal(data mem.BufferSlice, v any) error {
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	return v.(*reader).take(buf.ReadOnlyData())
}

var errMessage = errors.New("a message is not a SubscribeResponse with primary keys from 1 on")

// take walks over a SubscribeResponse.
func (r *reader) take(message []byte) error {
	const fieldEvents = 2
	before := r.events
	err := fields(message, func(number protowire.Number, value []byte) (bool, error) {
		if number != fieldEvents {
			return true, nil
		}
		event, n := protowire.ConsumeBytes(value)
		if n < 0 {
			return false, errMessage
		}
		key, err := primaryKey(event)
		if err != nil {
			return false, err
		}
		r.count(key)
		return true, nil
	})
	if r.events > before {
		r.messages++
	}
	return err
}

// primaryKey finds an encoded event's.
func primaryKey(event []byte) (key uint64, err error) {
	const fieldPrimaryKey, most = 8, 1 << 28
	err = fields(event, func(number protowire.Number, value []byte) (bool, error) {
		if number == fieldPrimaryKey {
			key, _ = protowire.ConsumeVarint(value)
		}
		return number != fieldPrimaryKey, nil
	})
	if err == nil && (key == 0 || key > most) {
		err = errMessage
	}
	return key, err
}

func (r *reader) count(key uint64) {
	word, bit := key/64, uint64(1)<<(key%64)
	for uint64(len(r.seen)) <= word {
		r.seen = append(r.seen, 0)
	}
	if r.seen[word]&bit != 0 {
		r.repeated++
	}
	r.seen[word] |= bit
	r.highest = max(r.highest, key)
	r.order = r.order*0x9E3779B97F4A7C15 + key
	r.events++
}

// fields calls fn with each field of a message, its value still encoded, until fn returns false.
func fields(b []byte, fn func(number protowire.Number, value []byte) (more bool, err error)) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errMessage
		}
		length := protowire.ConsumeFieldValue(number, kind, b[n:])
		if length < 0 {
			return errMessage
		}
		if more, err := fn(number, b[n:n+length]); err != nil || !more {
			return err
		}
		b = b[n+length:]
	}
	return nil
}
