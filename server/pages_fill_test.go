//go:build unix

package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/headgate/headgate/server/internal/access"
)

// pageToken is the operator's.
const pageToken = "token-of-the-page"

const pageConfig = `data_dir: data
sources:
  acme: {contexts: [Cust26759], time_zone: Europe/Oslo, secrets: [{id: a, file: secret}]}
readers:
  chief:
    tokens: ["%s"]
    operator: true
    allow: [{sources: ["*"], raw_body: true}]
`

// forOperators are the pages whose reader runs a gateway as one is in production. The others have one with --dev.
var forOperators = map[string]bool{"server/docs/operations.md": true, "server/docs/durability.md": true, "server/docs/tracing.md": true}

// operators writes what they have before the page begins.
func (w *walk) operators() {
	w.t.Helper()
	w.env = append(w.env, "HEADGATE_TOKEN="+pageToken)
	for name, content := range map[string]string{
		"headgate.yaml": fmt.Sprintf(pageConfig, access.HashToken(pageToken)), "secret": testSecret, "broken.json": `{"EventId":1}`,
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// prepare starts the gateway that the page takes for granted: it has two events and a subscription, and for operators a webhook in quarantine and a reader that is
// connected.
func (w *walk) prepare() {
	w.t.Helper()
	if !forOperators[w.page] {
		w.serve("headgated --dev")
		w.say("headgate send relation.created relation.changed && headgate subscription create billing --earliest")
		return
	}
	w.serve("headgated --config headgate.yaml")
	url := w.addresses.Replace("http://127.0.0.1:8080/webhooks/superoffice/acme")
	w.say("headgate send relation.created relation.changed --secret-file secret --url %[1]s && headgate send --file broken.json --as-is --secret-file secret --url %[1]s", url)
	w.say("headgate subscription create billing --earliest")
	for range 2 { // one of them is ended
		w.leaveOpen("headgate tail --earliest", w.command("headgate tail --earliest"))
	}
}

// first is the first thing of that form that the command writes.
func (w *walk) first(form, command string) string {
	w.t.Helper()
	said := w.say("%s", command)
	found := regexp.MustCompile(form).FindStringSubmatch(said)
	if found == nil {
		w.t.Fatalf("%s says nothing like %s:\n%s", command, form, said)
	}
	return found[1]
}

// fill puts in what the page leaves to its reader, and this machine's paths and ports.
func (w *walk) fill(line string) string {
	w.t.Helper()
	for name, value := range map[string]func() string{
		"CURSOR": func() string {
			cursors := regexp.MustCompile(`(?m)^\S+ (\S{22}) `).FindAllStringSubmatch(w.say("headgate list -v"), -1)
			if len(cursors) < 2 {
				w.t.Fatalf("%d events", len(cursors))
			}
			if strings.Contains(line, "release") { // the last one
				return cursors[1][1]
			}
			return cursors[0][1]
		},
		"LEASE": func() (lease string) {
			w.wait("a lease", func() bool {
				o := w.open[len(w.open)-1]
				o.mu.Lock()
				defer o.mu.Unlock()
				lease = o.lease
				return lease != ""
			})
			return lease
		},
		" ID":          func() string { return " " + w.first(`"id":\s*"([^"]+)"`, "headgate quarantine list --output json") },
		"STREAM":       func() string { return w.first(`"id":\s*"([^"]+)"`, "headgate connections --output json") },
		"SUBSCRIPTION": func() string { return "billing" },
		"READER":       func() string { return "chief" },
	} {
		if word := regexp.MustCompile(name + `\b`); word.MatchString(line) {
			line = word.ReplaceAllLiteralString(line, value())
		}
	}
	if w.addresses != nil {
		line = w.addresses.Replace(line)
	}
	return strings.NewReplacer("/etc/headgate/headgate.yaml", "headgate.yaml", "/var/lib/headgate", "data", "/backup/", "").Replace(line)
}
