package server

import (
	"testing"
	"time"
)

// SetHistoryEvery has gateways that are started until the test's end remember points of that length.
func SetHistoryEvery(t *testing.T, every time.Duration) {
	was := historyEvery
	historyEvery = every
	t.Cleanup(func() { historyEvery = was })
}
