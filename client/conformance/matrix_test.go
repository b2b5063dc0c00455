package conformance

import (
	"fmt"
	"io"
	"slices"
	"sync"
)

// The words of the matrix.
const (
	green   = "ok"
	red     = "FAIL"
	skipped = "skipped" // the client's language is not installed
	without = "-"       // the client does not have what the behaviour asks for, and says so
)

// matrix is what each client showed of each behaviour. Safe for concurrent use.
type matrix struct {
	mu      sync.Mutex
	clients []string
	cells   map[[2]string]string // by behaviour and client
}

var results = matrix{cells: map[[2]string]string{}}

func (m *matrix) note(behaviour, client, result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.clients, client) {
		m.clients = append(m.clients, client)
	}
	m.cells[[2]string{behaviour, client}] = result
}

// print writes a row for each behaviour and a column for each client. What did not run stays empty.
func (m *matrix) print(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.clients) == 0 {
		return
	}
	width := 0
	for _, b := range behaviours {
		width = max(width, len(b.name))
	}
	fmt.Fprintf(w, "\n%-*s", width, "")
	for _, c := range m.clients {
		fmt.Fprintf(w, "  %-*s", len(skipped), c)
	}
	for _, b := range behaviours {
		fmt.Fprintf(w, "\n%-*s", width, b.name)
		for _, c := range m.clients {
			fmt.Fprintf(w, "  %-*s", max(len(skipped), len(c)), m.cells[[2]string{b.name, c}])
		}
	}
	fmt.Fprint(w, "\n\n")
}
