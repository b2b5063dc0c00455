package server

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const hidden = "hidden-0123456789-abcdef"

// showsSecret reports whether text holds the secret in one of the forms that printers give to bytes.
func showsSecret(text string) bool {
	decimal := strings.Trim(fmt.Sprint([]byte(hidden)), "[]")
	for _, form := range []string{
		hidden, hex.EncodeToString([]byte(hidden)), decimal, strings.ReplaceAll(decimal, " ", ","),
		"aGlkZGVuLTAxMjM0NTY3ODkt", "0x68, 0x69, 0x64",
	} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
			return true
		}
	}
	return false
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	c, err := load(t, good(map[string]string{"secrets": "[{id: a, env: HIDDEN}]"}), map[string]string{"HIDDEN": hidden})
	if err != nil {
		t.Fatal(err)
	}
	secret := c.Sources["acme"].Secrets[0]
	if string(secret.Key) != hidden {
		t.Fatal("the secret was not read")
	}
	var outputs []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t"} {
		for _, v := range []any{c, &c, c.Sources, secret, &secret, secret.Key, &secret.Key} {
			outputs = append(outputs, fmt.Sprintf(verb, v))
		}
	}
	for _, v := range []any{c, &c, secret, secret.Key} {
		asJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		asYAML, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
		outputs = append(outputs, string(asJSON), string(asYAML), log.String())
	}
	outputs = append(outputs, secret.Key.String())
	for _, out := range outputs {
		if showsSecret(out) {
			t.Errorf("the secret is shown in: %s", out)
		}
		if !strings.Contains(out, redacted) && strings.Contains(out, "acme") {
			t.Errorf("it is not said that there is a secret: %s", out)
		}
	}
}

// A secret that somebody wrote in the wrong place is refused without being repeated.
func TestRefusalsDoNotRepeatSecrets(t *testing.T) {
	for name, c := range map[string]struct{ secrets, path, text string }{
		"secret": {"[{id: a, secret: " + hidden + "}]", "sources.acme.secrets[0].secret", "give file: its name"},
		"value":  {"[{id: a, value: " + hidden + "}]", "sources.acme.secrets[0].value", "must not stand in the configuration"},
		"key":    {"[{id: a, key: [" + hidden + "]}]", "sources.acme.secrets[0].key", "give env: the variable's name"},
		"other":  {"[{id: a, password: " + hidden + "}]", "sources.acme.secrets[0].?", "unknown key"},
		"item":   {"[" + hidden + "]", "sources.acme.secrets[0]", "must be a mapping"},
		"alone":  {hidden, "sources.acme.secrets", "must be a list"},
		"env":    {"[{id: a, env: " + hidden + "}]", "sources.acme.secrets[0].env", "not the name of an environment variable"},
		"id":     {"[{id: '" + hidden + " ', file: secrets/acme}]", "sources.acme.secrets[0].id", "letters, digits"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, good(map[string]string{"secrets": c.secrets}), nil)
			wantProblem(t, err, c.path, "line 6", c.text)
			if showsSecret(err.Error()) {
				t.Errorf("the secret is shown in: %v", err)
			}
		})
	}
	_, err := load(t, good(map[string]string{"secrets": "[{id: a, env: LINES}]"}), map[string]string{"LINES": hidden + "\n" + hidden})
	wantProblem(t, err, "sources.acme.secrets[0].env", "line 6", "not one line of text")
	if showsSecret(err.Error()) {
		t.Errorf("the secret is shown in: %v", err)
	}
}
