package aside_test

import (
	"runtime"
	"testing"

	"github.com/headgate/headgate/server/internal/aside"
)

// TestDo: when Do returns, fn has run, even one that ended its goroutine.
func TestDo(t *testing.T) {
	for name, end := range map[string]func(){"returns": func() {}, "exits": runtime.Goexit} {
		ran := false
		aside.Do(func() {
			ran = true
			end()
		})
		if !ran {
			t.Errorf("fn that %s has not run", name)
		}
	}
}
