package server

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/headgate/headgate/server/internal/access"
)

// misplaced are secrets and tokens as they look, none of them what something else is called.
var misplaced = []string{
	"hT5/Zk+Q0x0123456789abcDEF==", "/hT5Zk-Q0x0123456789abc_DEF", "HIDDEN_0123456789_abcdef", "https://Hidden:hT5Zk0123456789@id.corp/keys",
	"-----BEGIN HIDDEN-----\nhT5Zk0123456789\n", "Hidden 0123456789, hT5Zk",
	"hT5Zk-0123456789abcdef:80", "HIDDEN..0123456789:0", // as hosts they are words with a port
}

// placed visits the document once for each place of it, with the secret there: instead of a value, as a key, or beside them. path says where.
func placed(n *yaml.Node, path, secret string, visit func(path string)) {
	instead := func(n *yaml.Node, path string, is yaml.Node) {
		was := *n
		*n = is
		visit(path)
		*n = was
	}
	scalar := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: secret}
	instead(n, path, scalar)
	with := func(more ...*yaml.Node) yaml.Node {
		is := *n
		is.Content = append(append([]*yaml.Node{}, n.Content...), more...)
		return is
	}
	null := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	switch n.Kind {
	case yaml.DocumentNode:
		placed(n.Content[0], path, secret, visit)
	case yaml.SequenceNode:
		instead(n, path+"[]", with(&scalar))
		for _, item := range n.Content {
			placed(item, path+"[]", secret, visit)
		}
	case yaml.MappingNode:
		instead(n, path+".new", with(&scalar, &null))
		instead(n, path+".twice", with(&scalar, &null, &scalar, &null))
		instead(n, path+".odd", with(&yaml.Node{Kind: yaml.ScalarNode, Value: "odd"}, &scalar))
		for i := 0; i < len(n.Content); i += 2 {
			instead(n.Content[i], path+".key", scalar)
			placed(n.Content[i+1], path+"."+n.Content[i].Value, secret, visit)
		}
	}
}

// TestNothingMisplacedIsRepeated: wherever in the file a secret stands, neither problems nor warnings repeat it; nor is it printed from where secrets and
// tokens belong.
func TestNothingMisplacedIsRepeated(t *testing.T) {
	dir := folder(t, whole)
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(whole), &doc); err != nil {
		t.Fatal(err)
	}
	env := environ(map[string]string{"ACME_SECRET": "acme-other-0123456789"})
	path, refused, taken := filepath.Join(dir, "headgate.yaml"), 0, 0
	for _, secret := range misplaced {
		placed(&doc, "", secret, func(at string) {
			text, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, string(text))
			c, err := Load(path, env)
			shown := strings.Join(c.Warnings, "\n")
			if err != nil {
				refused++
				shown += err.Error()
			} else if taken++; strings.Contains(at, ".secrets") || strings.Contains(at, ".headers") || strings.Contains(at, ".tokens") {
				var out bytes.Buffer
				if err := c.Print(&out); err != nil {
					t.Fatal(err)
				}
				shown += out.String()
			}
			if strings.Contains(shown, "0123456789") {
				t.Errorf("%q at %s is repeated: %s", secret, at, shown)
			}
		})
	}
	if refused < 500 || taken < 10 {
		t.Errorf("%d files are refused and %d taken; the test shows nothing", refused, taken)
	}
}

// TestVariablesAreNotRepeated: what stands in a variable of a setting can be in the wrong place too.
func TestVariablesAreNotRepeated(t *testing.T) {
	c := Default()
	for _, s := range settings(&c) {
		for _, secret := range misplaced {
			_, err := load(t, minimal, map[string]string{s.variable(): secret})
			if err != nil && strings.Contains(err.Error(), "0123456789") {
				t.Errorf("it is repeated: %v", err)
			}
		}
	}
}

// TestTheListenersRepeatNoHost: any word is a host, in the file, in a variable, and where its address is looked up.
func TestTheListenersRepeatNoHost(t *testing.T) {
	for _, c := range []struct{ file, text string }{
		{"listen: {api: '" + hidden + ":80'}", "use 127.0.0.1:80"},
		{"listen: {grpc: '" + hidden + ":80'}\nreaders: {billing: {tokens: ['" + access.HashToken("t") + "'], allow: [{sources: [acme]}]}}", "or use 127.0.0.1:80"},
		{"listen: {admin: '" + hidden + ":80', webhook: '" + hidden + ":80'}", "is already the address of listen.webhook"},
	} {
		_, err := load(t, good(map[string]string{"top": c.file}), nil)
		if err == nil || !strings.Contains(err.Error(), c.text) || showsSecret(err.Error()) {
			t.Errorf("%s: %v", c.file, err)
		}
	}
	dev := Dev()
	dev.Listen.Webhook = hidden + ":80"
	if err := dev.Validate(); err == nil || !strings.Contains(err.Error(), "use 127.0.0.1:80") || showsSecret(err.Error()) {
		t.Errorf("--dev: %v", err)
	}
	cfg, err := load(t, good(map[string]string{"data_dir": t.TempDir(), "top": "listen: {admin: '" + hidden + ":80'}"}), nil)
	if err != nil || len(cfg.Warnings) != 1 || showsSecret(cfg.Warnings[0]) {
		t.Errorf("warnings %q, %v", cfg.Warnings, err)
	}
	cfg.Listen = Listen{Webhook: hidden + "..x:0", API: "127.0.0.1:0", GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"} // looked up nowhere: it can be no name
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "listen.webhook: the host's address cannot be found") || showsSecret(err.Error()) {
		t.Errorf("a host that has no address: %v", err)
	}
}

// TestSignsOfYAML: a secret may begin with what means something in YAML.
func TestSignsOfYAML(t *testing.T) {
	for _, sign := range []string{"*", "&", "!", "!!", "%", "@", "`", "|", ">", "?", "- ", "'", "\"", "{", "[", "\\", "#", ": ", "<<: ", "\t", "\x00", "\xff", "{{"} {
		for _, place := range []string{"[{id: a, file: %}]", "[{id: a, env: %}]", "[{id: a, %: b}]", "[%]", "%"} {
			_, err := load(t, good(map[string]string{"secrets": strings.ReplaceAll(place, "%", sign+hidden)}), nil)
			if err != nil && showsSecret(err.Error()) {
				t.Errorf("%q in %s is repeated: %v", sign, place, err)
			}
		}
		_, err := load(t, "data_dir: d\n"+sign+hidden+"\nsources: {}\n", nil)
		if err == nil || showsSecret(err.Error()) {
			t.Errorf("%q on a line of its own: %v", sign, err)
		}
	}
}
