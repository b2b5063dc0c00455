//go:build linux || darwin

package bench

import (
	"io"
	"testing"
)

// target is what the gateway must reach and aims at.
type target struct {
	what      string
	must, aim float64 // an aim of 0: none
	atLeast   bool    // else at most
	measured  []float64
}

// targets are in the order of the report.
var targets = struct {
	burst, burstCrowd, burstThrong, burstTCP, burstNATS, burstScattered,
	trickle, trickleTCP, resume, latency, idle, intake, catchUp, stalled target
}{
	burst:          target{what: "burst, 100 readers on 100 connections: CPU per delivery / Send-per-subscriber", must: 0.18, aim: 0.08},
	burstCrowd:     target{what: "the same with 1,000 readers", must: 0.18, aim: 0.10},
	burstThrong:    target{what: "the same with 10,000 readers on 100 connections", must: 0.18, aim: 0.10},
	burstTCP:       target{what: "burst / raw TCP in writes of up to 64 events, 100 readers", must: 2.0, aim: 1.15},
	burstNATS:      target{what: "burst / NATS core, 100 readers", must: 0.5, aim: 0.25},
	burstScattered: target{what: "burst where each reader's filter matches a scattered half / Send-per-subscriber", must: 0.35, aim: 0.2},
	trickle:        target{what: "trickle, 500 events/s, each alone, 100 connections: CPU per delivery alone / Send-per-subscriber", must: 1.0, aim: 0.75},
	trickleTCP:     target{what: "trickle / raw TCP, a goroutine per connection", must: 2.0, aim: 1.3},
	resume:         target{what: "one reader resuming over the large log, filter on one context of 1,000 events: time / full scan", must: 0.05, aim: 0.005},
	latency:        target{what: "POST to receipt, p99, 100 readers on 4 connections, 500 events/s / Send-per-subscriber with the same log", must: 1.0, aim: 0.7},
	idle:           target{what: "resident memory per idle stream, KB", must: 14, aim: 12.5},
	intake:         target{what: "intake: webhooks/s of the same handler without a log / accepted with fsync, 64 connections", must: 2, aim: 1.3},
	catchUp:        target{what: "catch-up: p99 of 100 live readers during a replay of the large log / without", must: 1.2},
	stalled:        target{what: "stalled: webhooks accepted/s with stalled readers / with none", must: 0.95, atLeast: true},
}

// meets says what the median comes to.
func (t *target) meets() string {
	reached := func(bound float64) bool {
		if t.atLeast {
			return median(t.measured) >= bound
		}
		return median(t.measured) <= bound
	}
	switch {
	case testing.Short():
		return "too short a run to tell"
	case !reached(t.must):
		return "MISSED"
	case t.aim == 0 || reached(t.aim):
		return "reached"
	}
	return "must reached"
}

// writeTargets writes the table of all targets that were measured, and nothing when none was.
func writeTargets(w io.Writer) error {
	rows := [][]string{{"target", "measured", "must", "aim", ""}}
	all := &targets
	for _, t := range []*target{
		&all.burst, &all.burstCrowd, &all.burstThrong, &all.burstTCP, &all.burstNATS, &all.burstScattered, &all.trickle, &all.trickleTCP,
		&all.resume, &all.latency, &all.idle, &all.intake, &all.catchUp, &all.stalled,
	} {
		if len(t.measured) == 0 {
			continue
		}
		sign, aim := "≤ ", ""
		if t.atLeast {
			sign = "≥ "
		}
		if t.aim != 0 {
			aim = sign + number(t.aim)
		}
		rows = append(rows, []string{t.what, shown(t.measured), sign + number(t.must), aim, t.meets()})
	}
	if len(rows) == 1 {
		return nil
	}
	return writeTable(w, "Targets: medians of the rounds, with the least and the greatest", rows)
}
