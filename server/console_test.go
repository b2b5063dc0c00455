package server_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/headgate/headgate/server"
	"github.com/headgate/headgate/server/internal/access"
)

// consoleURL is the page's, by a name that a browser takes for this machine.
func (g *gateway) consoleURL(hash string) string { return "http://" + g.addr.API + "/console/" + hash }

// rowsShown is how many events are drawn, whose text has all of the words.
func rowsShown(words ...string) string {
	test := "true"
	for _, w := range words {
		test += fmt.Sprintf(" && r.innerText.includes(%q)", w)
	}
	return "[...document.querySelectorAll('.row')].filter((r) => " + test + ").length"
}

// TestConsole is what people do with it, in a real browser.
func TestConsole(t *testing.T) {
	b := browse(t)
	t.Run("live", func(t *testing.T) { testConsoleLive(t, b) })
}

func consoleConfig(t *testing.T, readers map[string]server.Reader) server.Config {
	cfg := signedConfig(t.TempDir())
	cfg.Readers = readers
	return cfg
}

func hash(token string) []string { return []string{access.HashToken(token)} }

// testConsoleLive: an event appears as soon as it is accepted; a filter that is clicked together narrows what is shown, and stands in the address.
func testConsoleLive(t *testing.T, b *browser) {
	g := start(t, consoleConfig(t, nil))
	p := b.open(t, g.consoleURL(""), 1280, 800)
	p.until("document.querySelector('.condition').innerText === 'Live'")
	for name, body := range samples(t) {
		if got := g.post(body); got != http.StatusOK {
			t.Fatalf("%s was answered with %d", name, got)
		}
	}
	p.until(rowsShown("relation.created", "Cust26759", "#20") + " === 1")
	p.picture("live")
	if list := p.complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %v", list)
	}
}
