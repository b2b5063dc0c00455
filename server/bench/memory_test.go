//go:build linux || darwin

package bench

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/superoffice"
)

// memory holds the events of a server that has no log. They are made first and shown later.
type memory struct {
	mu      sync.Mutex
	events  []*headgatev1.Event
	keys    []eventlog.Keys
	bytes   []byte // the events as they go over the wire, side by side
	ends    []int  // where in bytes each ends
	shown   int    // how many of them subscribers may see
	alone   bool   // they are shown one by one
	changed chan struct{}
}

func newMemory() *memory { return &memory{changed: make(chan struct{})} }

// hold makes the events that the gateway makes of the same posts.
func (m *memory) hold(n, contexts int) error {
	src := superoffice.Source{Name: source, Location: time.UTC}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range n {
		e, err := superoffice.Translate(&src, body(i+1, contexts))
		if err != nil {
			return err
		}
		e.Cursor, e.ReceivedAt = fmt.Sprintf("%022d", i+1), timestamppb.Now()
		encoded, err := proto.Marshal(e)
		if err != nil {
			return err
		}
		m.events, m.keys = append(m.events, e), append(m.keys, keysOf(e))
		m.bytes = protowire.AppendBytes(protowire.AppendTag(m.bytes, fieldEvents, protowire.BytesType), encoded)
		m.ends = append(m.ends, len(m.bytes))
	}
	return nil
}

// keysOf are what filters look at.
func keysOf(e *headgatev1.Event) eventlog.Keys {
	return eventlog.Keys{
		Source: e.GetSource(), Context: e.GetContext(), Entity: e.GetEntity(), EventType: e.GetEventType(), Action: e.GetAction(), EventID: e.GetEventId(),
		PrimaryKey: e.GetPrimaryKey(), HasPrimaryKey: true, ChangedBy: e.GetChangedByAssociateId(), HasChangedBy: true,
		Changed: eventlog.JoinChanged(e.GetChangedFields()),
	}
}

// publish shows the next n events, all at once or as many a second as perSecond says.
func (m *memory) publish(n, perSecond int) {
	if perSecond == 0 {
		m.show(n, false)
		return
	}
	start := time.Now()
	for i := range n {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))))
		m.show(1, true)
	}
}

func (m *memory) show(n int, alone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shown += n
	m.alone = alone
	close(m.changed)
	m.changed = make(chan struct{})
}

// visible returns what subscribers may see, and a channel that is closed when there is more.
func (m *memory) visible() (shown int, alone bool, changed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.shown, m.alone, m.changed
}

// encoded is the i-th event, and n-1 after it, as they go over the wire.
func (m *memory) encoded(i, n int) []byte {
	from := 0
	if i > 0 {
		from = m.ends[i-1]
	}
	return m.bytes[from:m.ends[i+n-1]]
}
