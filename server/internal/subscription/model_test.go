package subscription

import "testing"

// The model of the package comment, small enough to try everything that can happen: one shard, two members, three events. What holds in it for every order
// of steps is what the package promises; TestAgainstTheModel's checks are the same ones, on the code.

const (
	modelEvents  = 3
	modelMembers = 2
)

type modelState int8

const (
	modelFree modelState = iota
	modelServed
	modelEnding
)

// model is one state of the world. It is comparable, so that states already seen are known.
type model struct {
	state  modelState
	holder int8 // of the lease; meaningless when free
	saved  int8 // events handled for good
	sent   int8 // the last sent under the lease
	lease  int8
	cuts   int8 // how often a lease was lost with something unsaved: by the grace, or by its holder's death
	member [modelMembers]modelMember
	// handled counts how often each event was handled; more often than cuts allow is a violation.
	handled [modelEvents]int8
}

type modelMember struct {
	lease    int8 // that it believes to have, 0: none
	received int8 // up to which event
	done     int8 // handled up to which
	cutOff   bool // its stream has ended
}

// steps returns every state that can follow, each with the step's name. broken switches one rule off, for the mutants.
func (m model) steps(broken string) map[string]model {
	next := make(map[string]model)
	for i := range m.member {
		who := string(rune('A' + i))
		w := m.member[i]
		if m.state == modelFree && w.lease == 0 {
			n := m
			n.state, n.holder, n.lease, n.sent = modelServed, int8(i), m.lease+1, m.saved
			if broken == "lease does not grow" {
				n.lease = max(m.lease, 1)
			}
			n.member[i] = modelMember{lease: n.lease, received: m.saved, done: m.saved}
			next["serve "+who] = n
		}
		if w.lease == 0 {
			continue
		}
		mine := m.state != modelFree && m.holder == int8(i) && m.lease == w.lease
		if m.state == modelServed && mine && !w.cutOff && m.sent < modelEvents {
			n := m
			n.sent++
			n.member[i].received = n.sent
			next["send "+who] = n
		}
		if w.done < w.received {
			n := m
			n.handled[w.done]++
			n.member[i].done++
			next["handle "+who] = n
		}
		saves := m.state != modelFree && (w.lease == m.lease || broken == "an old lease saves")
		if saves && w.done > m.saved {
			n := m
			n.saved = w.done
			next["save "+who] = n
		}
		if mine && m.state == modelServed { // by the server, the network or the client
			n := m
			n.state, n.member[i].cutOff = modelEnding, true
			next["end "+who] = n
		}
		if saves { // what was received and not handled is forgotten, what was handled is saved with it
			n := m
			n.saved, n.state, n.member[i] = max(m.saved, w.done), modelFree, modelMember{}
			next["release "+who] = n
		}
		{ // a process dies
			n := m
			n.member[i] = modelMember{}
			if mine {
				n.state = modelEnding
				n.cuts++
			}
			next["die "+who] = n
		}
		if !mine && w.lease != m.lease || m.state == modelFree { // it hears that the lease is lost
			n := m
			n.member[i] = modelMember{}
			next["forget "+who] = n
		}
	}
	if m.state == modelEnding && (m.saved >= m.sent || broken == "does not wait for saving") {
		n := m
		n.state = modelFree
		next["free"] = n
	}
	if m.state == modelEnding && m.saved < m.sent {
		n := m
		n.state = modelFree
		n.cuts++
		next["grace"] = n
	}
	return next
}

// violation says what is wrong with the step from one state to the other.
func (m model) violation(n model) string {
	if n.saved < m.saved {
		return "a saved position went back"
	}
	for e := range n.saved {
		if n.handled[e] == 0 {
			return "saved and never handled: lost"
		}
	}
	for _, times := range n.handled {
		if times > 1+n.cuts {
			return "handled twice, and nobody died or was too slow"
		}
	}
	leases := map[int8]int{}
	for _, w := range n.member {
		if w.lease != 0 {
			if leases[w.lease]++; leases[w.lease] > 1 {
				return "two members have one lease"
			}
		}
	}
	return ""
}

func explore(broken string) (states int, violation string) {
	seen := map[model]bool{{}: true}
	todo := []model{{}}
	for len(todo) > 0 {
		m := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for name, n := range m.steps(broken) {
			if v := m.violation(n); v != "" {
				return len(seen), name + ": " + v
			}
			if n.cuts > 2 || n.lease > 4 || seen[n] {
				continue
			}
			seen[n] = true
			todo = append(todo, n)
		}
	}
	return len(seen), ""
}

func TestModel(t *testing.T) {
	states, violation := explore("")
	if violation != "" {
		t.Error(violation)
	}
	if states < 1000 {
		t.Errorf("only %d states were reached: the model does not move", states)
	}
	t.Log(states, "states")
	for _, broken := range []string{"lease does not grow", "an old lease saves", "does not wait for saving"} {
		if _, violation := explore(broken); violation == "" {
			t.Errorf("the model holds although %s", broken)
		} else {
			t.Log(broken, "→", violation)
		}
	}
}
