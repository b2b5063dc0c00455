//go:build unix

package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStoppedFeed: whatever stops a feed, the commands with which the page on operations begins name it, in words that the page explains.
func TestStoppedFeed(t *testing.T) {
	bin := programs(t)
	page, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	const send = "for n in 1 2 3; do headgate send relation.created --secret-file "
	for _, c := range []struct {
		trouble string
		replace []string          // in the configuration
		env     []string          // over it
		files   map[string]string // beside it
		happens string            // meanwhile
		say     map[string]string // what the commands say
	}{
		{
			trouble: "the CRM has another secret", files: map[string]string{"theirs": "another secret, long enough"}, happens: send + "theirs --url URL; done; true",
			say: map[string]string{"headgate status": "WRONG SECRET?", "headgate sources acme": "unauthenticated 3"},
		},
		{
			trouble: "the secret has ended", replace: []string{"file: secret}", "file: secret, not_after: 2026-01-01}"}, happens: send + "secret --url URL; done; true",
			say: map[string]string{"headgate status": "WRONG SECRET?", "headgated check --config headgate.yaml": "has none that is valid now"},
		},
		{
			trouble: "the CRM has switched it off", happens: "headgate send --file stopped.json --secret-file secret --url URL",
			files: map[string]string{"stopped.json": `{"EventId":"0","Timestamp":"2026-01-02T03:04:05Z","Event":"webhook.stopped","ContextIdentifier":"Cust26759","WebhookName":"Headgate acme"}`},
			say:   map[string]string{"headgate status": "STOPPED", "headgate sources acme": `{"State": "Active"}`},
		},
		{
			trouble: "the disk is full", env: []string{"HEADGATE_RETENTION_DISK_RESERVE=1000TiB"}, happens: send + "secret --url URL; done; true",
			say: map[string]string{"headgate status": "NOT ACCEPTING", "headgate sources acme": "unavailable 3", "headgated check --config headgate.yaml": "make room"},
		},
		{
			trouble: "the certificate has ended", replace: []string{"data_dir: data", "data_dir: data\ntls: {cert_file: cert.pem, key_file: key.pem, listeners: [webhook]}"},
			say: map[string]string{"headgate status": "CERTIFICATE    ended", "headgated check --config headgate.yaml": "error    certificate"},
		},
	} {
		t.Run(c.trouble, func(t *testing.T) {
			w := &walk{t: t, bin: bin, page: "server/docs/operations.md"}
			w.begin()
			w.env = append(w.env, c.env...)
			cert, key := selfSigned(t, time.Now().Add(-time.Hour))
			files := map[string]string{"cert.pem": string(cert), "key.pem": string(key)}
			for name, content := range c.files {
				files[name] = content
			}
			config, err := os.ReadFile(filepath.Join(w.dir, "headgate.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			files["headgate.yaml"] = strings.NewReplacer(c.replace...).Replace(string(config))
			for name, content := range files {
				if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w.serve("headgated --config headgate.yaml")
			w.say("%s", strings.ReplaceAll(c.happens, "URL", w.addresses.Replace("http://127.0.0.1:8080/webhooks/superoffice/acme")))
			if word := strings.Split(c.say["headgate status"], "  ")[0]; !strings.Contains(string(page), "`"+word+"`") {
				t.Errorf("the page does not explain %s", word)
			}
			for command, want := range c.say {
				if got := w.say("%s; true", command); !strings.Contains(got, want) {
					t.Errorf("%s does not say %q:\n%s", command, want, got)
				}
			}
			w.end()
		})
	}
}
