package proof

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// volume is an ext4 file system of its own, whose power can be cut: what was not synced by then never reaches its image.
type volume struct {
	t           *testing.T
	image, root string
}

// newVolume needs the rights of root, and skips the test without.
func newVolume(t *testing.T) *volume {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	memory, err := os.MkdirTemp("/dev/shm", "headgate-proof-") // the image lies in memory: what is tested is the file system, not the disk
	if err != nil {
		t.Skip("no memory to put a file system into: ", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(memory) })
	v := &volume{t, filepath.Join(memory, "image"), filepath.Join(memory, "root")}
	for _, err := range []error{os.WriteFile(v.image, nil, 0o600), os.Truncate(v.image, 512<<20), os.Mkdir(v.root, 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-m", "0", v.image).CombinedOutput(); err != nil {
		t.Skipf("no ext4 can be made here: %v %s", err, out)
	}
	if err := v.mount(); err != nil {
		t.Skip("no ext4 can be mounted here: ", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(v.root, unix.MNT_DETACH) })
	return v
}

func (v *volume) mount() error {
	if out, err := exec.Command("mount", "-o", "loop", v.image, v.root).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// cut stops the file system at once, without writing out what waits in memory, neither data nor journal.
func (v *volume) cut() {
	v.t.Helper()
	const (
		shutdown = 0x8004587d // EXT4_IOC_SHUTDOWN
		noFlush  = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH
	)
	root, err := os.Open(v.root)
	if err != nil {
		v.t.Fatal(err)
	}
	defer root.Close()
	if err := unix.IoctlSetPointerInt(int(root.Fd()), shutdown, noFlush); err != nil {
		v.t.Fatal("cutting the power: ", err)
	}
}

// restore mounts again what the cut left. Nobody may use it then.
func (v *volume) restore() {
	v.t.Helper()
	if err := unix.Unmount(v.root, 0); err != nil {
		v.t.Fatal(err)
	}
	if err := v.mount(); err != nil {
		v.t.Fatal(err)
	}
}

// TestPowerCut: the machine loses its power at random instants, in the middle of the gateway's posts. All that was accepted is there afterwards, once, where it
// was.
func TestPowerCut(t *testing.T) {
	cuts := counts(40, 1000)
	v := newVolume(t)
	g := newGateway(t, filepath.Join(v.root, "data"), "")
	g.start()
	c := newCRM(g)
	end := c.write(16, 0)
	var o order
	before := 0
	for n := range cuts {
		eventually(t, "events come in", func() bool { return c.took() > before+20 })
		time.Sleep(time.Duration(rand.IntN(100_000)) * time.Microsecond) // the instant is what varies
		// A machine without power answers nobody. This one still does: of a sync that is under way when its file system stops, Linux says that it succeeded.
		c.hear(false)
		v.cut()
		g.kill()
		v.restore()
		before = c.took()
		c.hear(true)
		g.start()
		if err := o.extend(g); err != nil {
			t.Fatalf("after %d cuts: %v", n+1, err)
		}
	}
	end()
	o.check(t, g, c)
	g.kill()
	checkStore(t, g.dir, len(o.places))
	t.Logf("%d power cuts on ext4 with 16 writers: %d events accepted, %d posts failed, 0 lost, moved or doubled", cuts, c.took(), c.failed)
	if c.took() < 20*cuts || c.failed < cuts {
		t.Error("too little happened for the run to mean anything")
	}
}
