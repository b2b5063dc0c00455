package proof

const (
	store  = "server/internal/eventlog/pebblestore/"
	feed   = "server/internal/feed/"
	synced = `	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return err
	}
	if err := b.SyncWait(); err != nil {
		return err
	}`
)

// mutants are what the suite is measured by.
var mutants = []mutant{
	{
		name: "no fsync", file: store + "commit.go", old: synced, new: "	if err := s.db.Apply(b, pebble.NoSync); err != nil {\n		return err\n	}",
		pkg: "server/internal/eventlog/pebblestore", run: "TestCutBeforeEveryOperation",
	},
	{
		name: "no fsync, on ext4", file: store + "commit.go", old: synced, new: "	if err := s.db.Apply(b, pebble.NoSync); err != nil {\n		return err\n	}",
		pkg: "server/proof", run: "TestPowerCut", root: true,
	},
	{
		name: "answered before the fsync, which comes with the next group", file: store + "commit.go", old: synced,
		new: "	if err := errors.Join(s.db.LogData(nil, pebble.Sync), s.db.Apply(b, pebble.NoSync)); err != nil {\n		return err\n	}",
		pkg: "server/internal/eventlog/pebblestore", run: "TestCutBeforeEveryOperation",
	},
	{
		name: "answered before the fsync, on ext4", file: store + "commit.go", old: synced,
		new: "	if err := errors.Join(s.db.LogData(nil, pebble.Sync), s.db.Apply(b, pebble.NoSync)); err != nil {\n		return err\n	}",
		pkg: "server/proof", run: "TestPowerCut", root: true,
	},
	{
		name: "answered before it is written", file: store + "commit.go", old: "	select {\n	case o := <-p.done:", new: "	select {\n	default:\n		return false, nil\n	case o := <-p.done:",
		pkg: "server/proof", run: "TestKilled",
	},
	{
		name: "no duplicate is known again after a crash", file: store + "commit.go", old: "return err == nil && seqOf(value) >= g.earliest, err", new: "return seqOf(value) == 0, err",
		pkg: "server/proof", run: "TestKilled",
	},
	{
		name: "a marker is written before the name that it refers to is durable", file: store + "names.go", old: `"marker."`, new: `"no marker"`,
		pkg: "server/internal/eventlog/pebblestore", run: "TestCutBeforeEveryOperation",
	},
	{
		name: "what is erased waits for the next fsync", file: store + "erase.go",
		old: "	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {\n		return s.fail(err)\n	}\n	if err := b.SyncWait(); err != nil {",
		new: "	if err := s.db.Apply(b, pebble.NoSync); err != nil {",
		pkg: "server/internal/eventlog/pebblestore", run: "TestCutBeforeEveryOperation",
	},
	{
		name: "a record that cannot be read is passed over", file: store + "read.go",
		old: "		if err != nil {\n			return at, err\n		}\n		at = seq\n		if wants != nil", new: "		if at = seq; err != nil {\n			continue\n		}\n		if wants != nil",
		pkg: "server/internal/eventlog/pebblestore", run: "TestUnreadableRecord",
	},
	{
		name: "the log goes on after a failed fsync", file: store + "commit.go", old: "		s.state.Err = fmt.Errorf(\"%w: %w; %s\", kind, cause, advice)\n",
		new: "		return fmt.Errorf(\"%w: %w; %s\", kind, cause, advice)\n",
		pkg: "server/internal/eventlog/pebblestore", run: "TestFailedSyncStopsTheLog",
	},
	{
		name: "times step back with the clock", file: store + "commit.go", old: "if g.now.Before(s.state.HeadAt) {", new: "if false {",
		pkg: "server/internal/eventlog", run: "TestThirtyDaysOfJumpingClocks",
	},
	{
		name: "the key of duplicates leaves out the context", file: "server/internal/webhook/record.go",
		old: "eventlog.DuplicateKey(e.GetSource(), e.GetContext(), e.GetEventType(), primaryKeyOf(e))", new: "eventlog.DuplicateKey(e.GetSource(), e.GetEventType(), primaryKeyOf(e))",
		pkg: "server/proof", run: "TestKilled",
	},
	{
		name: "a checkpoint overtakes events", file: feed + "stream.go",
		old: "	if err := st.settle(); err != nil {\n		return false, err\n	}\n	if (atHead && !st.caughtUp) || st.silent {", new: "	st.pos.Store(st.read)\n	if true {",
		pkg: "server/internal/feed", run: "TestOneOrder",
	},
	{
		name: "a stream resumes at its cursor, not after it", file: feed + "start.go",
		old: "			return s.relocate(err, p.AfterCursor, onLost, v)\n		}\n		return place{pos: pos}, nil", new: "			return s.relocate(err, p.AfterCursor, onLost, v)\n		}\n		return place{pos: max(pos, 1) - 1}, nil",
		pkg: "server/internal/feed", run: "TestOneOrder",
	},
	{
		name: "no access check on replay", file: feed + "send.go",
		old: "if !sight.match(f) || slices", new: "if !sight.view.predicate.Match(f.Kind, &f.Keys) || slices",
		pkg: "server/internal/feed", run: "TestOneOrder",
	},
	{
		name: "who was overtaken by the retention is not told", file: feed + "replay.go", old: "	if st.place.earliest { //", new: "	if st.place.earliest || true { //",
		pkg: "server/internal/feed", run: "TestOneOrder",
	},
	{
		name: "who waits does not look at the head once more", file: feed + "index.go", old: "if pos < x.head || w.roused {", new: "if w.roused {",
		pkg: "server/internal/feed", run: "TestOneOrder",
	},
	{
		name: "the client resumes from where it began", file: "client/reader.go", old: "	r.cursor = cursor\n	if r.sub.Store == nil {", new: "	if r.cursor == \"\" {\n		r.cursor = cursor\n	}\n	if r.sub.Store == nil {",
		pkg: "client/conformance", run: "TestFaultyNetwork",
	},
	{
		name: "the gateway does not ask whether its readers are there", file: "server/server.go", old: "Time: 20 * time.Second, Timeout: 10 * time.Second,", new: "Time: 2 * time.Hour,",
		pkg: "client/conformance", run: "TestDeadPeer",
	},
	{
		name: "a few at a time are sent to, stalled ones too", file: feed + "send.go",
		old: "	err := st.transmit(m)\n	endTrace(span, err)\n", new: "	st.svc.turns.disk <- struct{}{}\n	err := st.transmit(m)\n	<-st.svc.turns.disk\n	endTrace(span, err)\n",
		pkg: "server/proof", run: "TestStalledReaders",
	},
	{
		name: "each stream keeps a buffer", file: feed + "stream.go", old: "type stream struct {\n", new: "type stream struct {\n	buffer [1024]*int\n",
		pkg: "server/proof", run: "TestIdleStreams",
	},
	{
		name: "streams that are gone are remembered", file: feed + "stream.go", old: "	st.svc.streams.remove(st)\n", new: "",
		pkg: "server/proof", run: "TestComeAndGo",
	},
	{
		name: "each stream leaves a goroutine behind", file: feed + "stream.go", old: "	st.svc.streams.remove(st)\n", new: "	st.svc.streams.remove(st)\n	go func() { select {} }()\n",
		pkg: "server/proof", run: "TestSoak",
	},
	{
		name: "a table that is damaged ends the log", file: store + "read.go",
		old: "	if err := it.Error(); err != nil {\n		return at, &eventlog.DamageError{From: at + 1, To: head, Cause: err.Error()}\n	}\n	if at != head {\n",
		new: "	if err := it.Error(); err != nil || at != head {\n		return head, nil\n	}\n	if at != head {\n",
		pkg: "server/internal/eventlog/pebblestore", run: "TestFlips",
	},
	{
		name: "a store that is nearly full takes all the same", file: store + "disk.go", old: "	switch full := s.state.FreeBytes < least; {", new: "	switch full := false; {",
		pkg: "server", run: "TestDiskThatGetsFull", root: true,
	},
	{
		name: "a full disk needs a restart", file: store + "disk.go", old: "		s.restoreAfterFull()\n", new: "",
		pkg: "server/internal/eventlog/pebblestore", run: "TestFullDisk",
	},
	{
		name: "a restart cuts the posts off that are under way", file: "server/run.go", old: "	s.posting.wait(ctx, http.StateNew, http.StateActive)\n",
		new: "	_ = s.http[listenWebhook].Close()\n",
		pkg: "client/conformance", run: "TestRollingRestarts",
	},
	{
		name: "the sockets are closed when the log is handed over", file: "server/run.go", old: "	remains := s.remains(listenWebhook, handing)\n", new: "	remains := s.remains(listenWebhook, false)\n",
		pkg: "client/conformance", run: "TestRollingRestarts",
	},
	{
		name: "an upgrade changes the files before their number", file: store + "upgrade.go",
		old: "	if s.format < newestFormat {\n", new: "	if s.format < newestFormat && s.db.RatchetFormatMajorVersion(pebbleVersions[newestFormat]) == nil {\n",
		pkg: "server/internal/eventlog/pebblestore", run: "TestPowerCutDuringUpgrade",
	},
	{
		name: "a store is upgraded when it is opened", file: store + "recover.go", old: "	if err := CheckFormat(s.format); err != nil {\n", new: "	if err := errors.Join(CheckFormat(s.format), s.upgrade()); err != nil {\n",
		pkg: "server/internal/eventlog/pebblestore", run: "TestNoUpgradeByItself",
	},
	{
		name: "a newer store is opened", file: store + "format.go", old: "	if format > newestFormat {\n", new: "	if format > newestFormat+100 {\n",
		pkg: "server/internal/eventlog/pebblestore", run: "TestNewerFormatIsRefused",
	},
	{
		name: "what is erased stays in the files of the quarantine", file: store + "purge.go", old: "[]byte{roomRaw, roomQuarantine, roomRecord}", new: "[]byte{roomRaw, roomRecord}",
		pkg: "server/internal/eventlog/pebblestore", run: "TestPurge",
	},
	{
		name: "what is erased stays in the files of the bodies", file: store + "purge.go", old: "[]byte{roomRaw, roomQuarantine, roomRecord}", new: "[]byte{roomQuarantine, roomRecord}",
		pkg: "server/internal/eventlog/pebblestore", run: "TestPurge",
	},
	{
		name: "what is erased stays in the tail", file: "server/internal/eventlog/log.go", old: "	l.tail.reset()\n	l.erasures.Add(1)\n", new: "	l.erasures.Add(1)\n",
		pkg: "server/internal/eventlog", run: "TestEraseReachesTheTail",
	},
}
