package server

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestCheckVariables(t *testing.T) {
	asked := map[string]bool{"HEADGATE_ACME": true, "OTHER": true}
	c := Default()
	for _, s := range settings(&c) {
		asked[s.variable()] = true
	}
	for variable, want := range map[string]string{
		"HEADGATE_LOG_LEVL=debug":                              "did you mean HEADGATE_LOG_LEVEL?",
		"HEADGATE_LISTEN_GPRC=:1":                              "did you mean HEADGATE_LISTEN_GRPC?",
		"HEADGATE_MAX_AGE=1d":                                  "HEADGATE_LISTEN_GRPC for listen.grpc",
		"HEADGATE_=x":                                          "no setting",
		"HEADGATE_LISTEN_PORT=9090x":                           "no setting",
		"HEADGATE_ACCEPT_DATA_LOSS=true":                       "no setting",
		"HEADGATE_LOG_LEVEL=debug":                             "",
		"HEADGATE_LOG_LEVL=":                                   "",
		"HEADGATE_ACME=secret":                                 "", // a secret's
		"HEADGATE_TOKEN=secret":                                "", // the client's
		"HEADGATED_TEST=x":                                     "",
		"LOG_LEVL=debug":                                       "",
		"HEADGATE_SERVICE_HOST=10.0.0.1":                       "",
		"HEADGATE_SERVICE_PORT=80":                             "",
		"HEADGATE_WEBHOOK_SERVICE_PORT_HTTP=80":                "",
		"HEADGATE_PORT=tcp://10.0.0.1:80":                      "",
		"HEADGATE_GATEWAY_PORT_9090_TCP=tcp://10.0.0.1:9090":   "",
		"HEADGATE_PORT_9090_TCP_ADDR=fd00::1":                  "",
		"HEADGATE_PORT_9090_TCP_PORT=9090":                     "",
		"HEADGATE_PORT_9090_UDP_PROTO=udp":                     "",
		"HEADGATE_LOG_LEVL=hidden-0123456789-abcdef debug=yes": "did you mean HEADGATE_LOG_LEVEL?",
	} {
		err := CheckVariables([]string{"PATH=/bin", variable}, asked)
		var ps Problems
		name, _, _ := strings.Cut(variable, "=")
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", variable, err)
		case want != "" && (!errors.As(err, &ps) || len(ps) != 1 || ps[0].Origin != name || !strings.Contains(ps[0].Text, want) || showsSecret(err.Error())):
			t.Errorf("%s: want %q, got %v", variable, want, err)
		}
	}
}

// TestVariablesOfTheClient: the list is that of the command's sources.
func TestVariablesOfTheClient(t *testing.T) {
	files, err := filepath.Glob("../client/cmd/headgate/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the client's sources are not there: %v", err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, name := range regexp.MustCompile(`HEADGATE_[A-Z_]+`).FindAllString(string(text), -1) {
			found++
			if err := CheckVariables([]string{name + "=x"}, nil); err != nil {
				t.Errorf("headgate takes %s, and headgated beside it: %v", name, err)
			}
		}
	}
	if found == 0 {
		t.Error("the client takes no variables; the test shows nothing")
	}
}
