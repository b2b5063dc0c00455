package conformance

var losing = []behaviour{
	{"expired cursor", nil, expired},
	{"expired cursor, earliest", []string{"on_lost_cursor"}, expiredEarliest},
	{"expired cursor, latest", []string{"on_lost_cursor"}, expiredLatest},
	{"foreign cursor", nil, foreign},
	{"malformed cursor", nil, malformed},
	{"no start", nil, noStart},
}

// lost is a gateway with three events that came after its retention removed others, and a cursor from before that.
func (k *kit) lost() (g *gateway, cursor string) {
	k.Helper()
	g = k.start(settings{})
	g.sender.send(changes(1, 5, 5)...)
	cursor = g.asker.log()[1].GetCursor()
	g.forget()
	g.sender.send(changes(6, 8, 5)...)
	return g, cursor
}

// refusal wants the subscription to end with an error before anything is delivered, without a second try, and the adapter to exit.
func (a *adapter) refusal(reason, code string) {
	a.t.Helper()
	before, l := a.until("error")
	for _, b := range before {
		if b.Kind != "started" {
			a.t.Errorf("before it was refused came %v", b)
		}
	}
	if l.Reason != reason || l.Code != code {
		a.t.Errorf("it ended with %q, %q; want %s, %s", l.Reason, l.Code, reason, code)
	}
	a.gone("its subscription ended")
}

func expired(k *kit) {
	g, cursor := k.lost()
	k.run(g.front, request{Start: after(cursor)}).refusal("CURSOR_EXPIRED", "OUT_OF_RANGE")
}

func expiredEarliest(k *kit) {
	g, cursor := k.lost()
	a := k.run(g.front, request{Start: after(cursor), OnLostCursor: "earliest"})
	a.lostGap("REASON_CURSOR_EXPIRED")
	k.want(cursors(g.asker.log(), nil), a.events(3, false))
	a.leave()
}

func expiredLatest(k *kit) {
	g, cursor := k.lost()
	a := k.run(g.front, request{Start: after(cursor), OnLostCursor: "latest"})
	a.lostGap("REASON_CURSOR_EXPIRED")
	g.sender.send(change{n: 9, key: 9})
	k.want(cursors(g.asker.log()[3:], nil), a.events(1, false))
	a.leave()
}

// lostGap wants a gap before any event.
func (a *adapter) lostGap(reason string) {
	a.t.Helper()
	if l := a.next("gap", "event", "checkpoint"); l.Kind != "gap" || l.Reason != reason {
		a.t.Errorf("got %v first, want a gap with %s", l, reason)
	}
}

func foreign(k *kit) {
	other := k.start(settings{})
	other.sender.send(change{n: 1, key: 1})
	cursor := other.asker.log()[0].GetCursor()
	other.kill()
	g := k.start(settings{})
	g.sender.send(change{n: 1, key: 1})
	k.run(g.front, request{Start: after(cursor)}).refusal("CURSOR_FOREIGN", "FAILED_PRECONDITION")
}

func malformed(k *kit) {
	g := k.start(settings{})
	g.sender.send(change{n: 1, key: 1})
	k.run(g.front, request{Start: after("no cursor of any gateway")}).refusal("CURSOR_MALFORMED", "INVALID_ARGUMENT")
}

// noStart: whoever does not say where to begin is refused, by the client or by the gateway. It never begins at an end of the log.
func noStart(k *kit) {
	g := k.start(settings{})
	g.sender.send(change{n: 1, key: 1})
	a := k.run(g.front, request{})
	before, l := a.until("error")
	if len(before) > 0 || l.Reason != "START_REQUIRED" && l.Reason != "" {
		k.Errorf("it ended with %v after %v; want START_REQUIRED, or a refusal of the client's own, and nothing before", l, before)
	}
	a.gone("its subscription ended")
}
