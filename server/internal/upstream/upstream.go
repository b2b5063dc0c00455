// Package upstream infers what the CRM may have dropped before it arrived, which no stream can show: from webhooks that came only when they were tried again, from
// a source's silence against its own weeks, from what the CRM says itself, and from the time in which the gateway was not ready. For each such incident it
// appends one gap to the log, so that every subscriber, now or later, knows which window to reconcile.
//
// It reads the log like any subscriber: what is known of the sources follows from it, and is kept beside it with a position. Only what is authentic comes into
// the log, so nobody without a source's secret can cause a gap.
package upstream

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// Log is what is needed of the log.
type Log interface {
	Append(ctx context.Context, r *eventlog.Record) (dup bool, err error)
	Read(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error)
	SeekTime(ctx context.Context, t time.Time) (after uint64, err error)
	State() eventlog.State
	Epoch() string
}

// Options say how a Watch works.
type Options struct {
	// Dir is where it keeps what it knows.
	Dir string
	// Logger gets what makes it suspicious. Default: none.
	Logger *slog.Logger
	// Metrics gets the metrics. Default: none.
	Metrics prometheus.Registerer
}

// Watch is safe for concurrent use.
type Watch struct {
	log   Log
	opt   Options
	path  string
	ready *readiness
	// saveEvery is another one in tests that last for months.
	saveEvery time.Duration

	mu    sync.Mutex
	state *state                    // guarded by mu
	zones map[string]*time.Location // of the configured sources; guarded by mu
	gaps  map[string]map[headgatev1.Gap_Cause]uint64
	dirty bool // there is something to save; guarded by mu, as gaps
}

const (
	// readEvery is how often the log is read, checkEvery how often silence is looked for, saveEvery how often what is known is saved.
	readEvery, checkEvery, saveEvery = 5 * time.Second, time.Minute, 10 * time.Minute
	// learnFrom is how far back a log is learned from at first.
	learnFrom = (weeksKept + 1) * 7 * day
	// awayKept is how many times in which the gateway was not ready are remembered.
	awayKept = 20
)

// Open reads what is known. zones are the configured sources, with their time zones.
func Open(log Log, zones map[string]*time.Location, opt Options) (*Watch, error) {
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	w := &Watch{log: log, opt: opt, path: filepath.Join(opt.Dir, "upstream.json"), saveEvery: saveEvery, gaps: make(map[string]map[headgatev1.Gap_Cause]uint64)}
	st, err := readState(w.path)
	if err != nil {
		return nil, err
	}
	at := log.State()
	if st == nil || st.Epoch != log.Epoch() || st.Position > at.Head || st.Position+1 < at.Earliest {
		after, err := log.SeekTime(context.Background(), time.Now().Add(-learnFrom))
		if err != nil {
			after = at.Head // what cannot be read cannot be learned from
		}
		st = &state{Epoch: log.Epoch(), Position: after, JudgeAfter: at.Head}
	}
	if st.Sources == nil {
		st.Sources = make(map[string]*source)
	}
	w.state = st
	w.SetSources(zones)
	if w.ready, err = openReadiness(filepath.Join(opt.Dir, "ready"), at.HeadAt); err != nil {
		return nil, err
	}
	if opt.Metrics != nil {
		opt.Metrics.MustRegister((*metrics)(w))
	}
	return w, nil
}

// SetSources replaces the sources that are looked at. What is known of others is forgotten.
func (w *Watch) SetSources(zones map[string]*time.Location) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.zones, w.dirty = zones, true
	for name, s := range w.state.Sources {
		zone, ok := zones[name]
		if !ok {
			delete(w.state.Sources, name)
			continue
		}
		s.zone, s.byOf = zone, time.Time{}
	}
}

// Stored takes note that an authentic webhook was stored, or could not be.
func (w *Watch) Stored(ok bool) { w.ready.tell(ok, wall()) }

// Begin looks since when the gateway was not ready. It is called before webhooks are taken, so that the gap of that stands before them.
func (w *Watch) Begin(ctx context.Context) { w.look(ctx) }

// Run looks until ctx ends. Stop must have been called before, when webhooks were taken no more. It always returns nil.
func (w *Watch) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { w.beats(ctx) })
	w.follow(ctx)
	wg.Wait()
	w.save()
	return nil
}

// Stop takes note that webhooks are taken no more.
func (w *Watch) Stop() {
	if err := w.ready.stop(w.log.State().Err, wall()); err != nil {
		w.opt.Logger.Warn("it could not be written down until when the gateway was ready", "error", err)
	}
}

// Close releases the files. It is called after Run, or instead of it.
func (w *Watch) Close() error { return w.ready.close() }

// beats looks every second whether the gateway is ready.
func (w *Watch) beats(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Watch) look(ctx context.Context) {
	ready, away := w.ready.look(w.log.State().Err, wall())
	if !ready {
		return
	}
	if away != (window{}) {
		if err := w.back(ctx, away); err != nil {
			return // still not ready: nothing can be stored
		}
	}
	if err := w.ready.beat(wall()); err != nil && ctx.Err() == nil {
		w.opt.Logger.Warn("it could not be written down that the gateway is ready", "error", err)
	}
}

// back takes note that the gateway is ready again. A gap is appended before that is written down: a crash in between makes two that overlap, not none.
func (w *Watch) back(ctx context.Context, away window) error {
	w.mu.Lock()
	w.state.Away = append(w.state.Away, away)
	w.state.Away = w.state.Away[max(0, len(w.state.Away)-awayKept):]
	w.dirty = true
	w.mu.Unlock()
	if away.To.Sub(away.From) >= lostAfter {
		if err := w.append(ctx, &suspicion{window: away, Cause: headgatev1.Gap_CAUSE_NOT_READY}); err != nil {
			return err
		}
	}
	w.save()
	return nil
}

// follow reads the log every few seconds, and looks every minute at what is missing in it. After a crash it reads what came since it saved once more.
func (w *Watch) follow(ctx context.Context) {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for checked, saved := wall(), wall(); ; {
		if err := w.catchUp(ctx); err != nil && ctx.Err() == nil {
			w.opt.Logger.Error("the log cannot be read for what is missing in it", "error", err)
		}
		if now := wall(); now.Sub(checked) >= checkEvery {
			checked = now
			w.check(now)
		}
		w.appendPending(ctx)
		if now := wall(); now.Sub(saved) >= w.saveEvery {
			saved = now
			w.save()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// catchUp reads up to the newest record.
func (w *Watch) catchUp(ctx context.Context) error {
	for ctx.Err() == nil {
		w.mu.Lock()
		after := w.state.Position
		w.mu.Unlock()
		c, err := w.log.Read(ctx, after, nil)
		switch {
		case errors.Is(err, eventlog.ErrTrimmed):
			c = eventlog.Chunk{Through: w.log.State().Earliest - 1} // there is still enough to learn from
		case errors.Is(err, eventlog.ErrDamaged):
			c = eventlog.Chunk{Through: w.log.State().Head} // readers are told so
		case err != nil:
			return err
		}
		w.mu.Lock()
		for i := range c.Frames {
			w.take(&c.Frames[i])
		}
		w.state.Position = max(w.state.Position, c.Through)
		w.dirty = w.dirty || c.Through > after
		w.mu.Unlock()
		if c.AtHead || c.Through <= after {
			return nil
		}
	}
	return nil
}

// save writes down what is known, if that changed.
func (w *Watch) save() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dirty {
		return
	}
	if err := w.state.write(w.path); err != nil {
		w.opt.Logger.Warn("what is known of the sources' weeks could not be saved", "error", err)
		return
	}
	w.dirty = false
}

// wall is the time without the monotonic clock, which stands still while the machine sleeps.
func wall() time.Time { return time.Now().Round(0) }
