package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	rulesFile     = "deploy/prometheus/rules.yaml"
	rulesTestFile = "deploy/prometheus/rules_test.yaml"
	dashboardFile = "deploy/grafana/headgate.json"
)

type alertRule struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func alertRules(t *testing.T) []alertRule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alertRule } }
	text, err := os.ReadFile(rulesFile)
	if err == nil {
		err = yaml.Unmarshal(text, &file)
	}
	if err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatal(file, err)
	}
	return file.Groups[0].Rules
}

// checkRules: the alerts are about metrics that there are, say what to do, and each is tested.
func checkRules(t *testing.T, shown map[string]family) {
	tests, err := os.ReadFile(rulesTestFile)
	if err != nil {
		t.Fatal(err)
	}
	operations, err := os.ReadFile("docs/operations.md")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	written := err == nil
	for _, r := range alertRules(t) {
		checkNames(t, r.Alert, r.Expr+" "+r.Annotations["description"], shown)
		checkLabels(t, r.Alert, r.Expr, templateLabel.FindAllStringSubmatch(fmt.Sprint(r.Annotations), -1), shown)
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s has the severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s does not say what happened and what to do", r.Alert)
		}
		page, anchor, _ := strings.Cut(r.Annotations["runbook_url"], "#")
		if !strings.HasSuffix(page, "/server/docs/operations.md") || anchor != kebab(r.Alert) {
			t.Errorf("%s: the link is %s#%s, not to %s", r.Alert, page, anchor, kebab(r.Alert))
		}
		if written && !slices.Contains(anchorsOf(string(operations)), anchor) {
			t.Errorf("%s: docs/operations.md has no heading for #%s", r.Alert, anchor)
		}
		if !strings.Contains(string(tests), fmt.Sprintf("alertname=%q, alertstate=\"firing\", severity=%q", r.Alert, r.Labels["severity"])) {
			t.Errorf("%s, %s, is not tested in %s", r.Alert, r.Labels["severity"], rulesTestFile)
		}
	}
}

var (
	capital  = regexp.MustCompile(`\B[A-Z]`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$|<a (?:id|name)="([^"]+)"`)
	notSlug  = regexp.MustCompile(`[^a-z0-9 _-]`)
	selector = regexp.MustCompile(`([a-z_]+) ?(?:=~|!~|!=|=) ?"`)
	grouping = regexp.MustCompile(`\b(?:by|on|without) \(([a-z_, ]+)\)`)
	// templateLabel and legendLabel are labels as an annotation and a legend write them.
	templateLabel = regexp.MustCompile(`\$labels\.([a-z_]+)`)
	legendLabel   = regexp.MustCompile(`\{\{([a-z_]+)\}\}`)
)

func kebab(name string) string {
	return strings.ToLower(capital.ReplaceAllString(name, "-$0"))
}

// anchorsOf are the places in a page that can be linked to.
func anchorsOf(page string) (anchors []string) {
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		slug := strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		anchors = append(anchors, slug+m[2])
	}
	return anchors
}

// checkLabels says which labels an expression or what is made of it uses that none of its metrics has.
func checkLabels(t *testing.T, where, expr string, used [][]string, shown map[string]family) {
	t.Helper()
	known := []string{"job", "instance", "le"}
	for _, name := range metricName.FindAllString(expr, -1) {
		f, ok := shown[name]
		if !ok {
			f = shown[partOf.ReplaceAllString(name, "")]
		}
		known = append(known, strings.Split(f.labels, ", ")...)
	}
	used = append(used, selector.FindAllStringSubmatch(expr, -1)...)
	for _, list := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, label := range strings.Split(list[1], ", ") {
			used = append(used, []string{"", label})
		}
	}
	for _, m := range used {
		if !slices.Contains(known, m[1]) {
			t.Errorf("%s: none of the metrics in %s has the label %s", where, expr, m[1])
		}
	}
}

// dashboard is what is checked of Grafana's form.
type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct {
			Name, Type, Definition string
			Datasource             struct{ UID string }
		}
	}
	Panels []struct {
		ID          int
		Type, Title string
		Description string
		GridPos     struct{ X, Y, W, H int }
		Datasource  struct{ UID string }
		Targets     []struct {
			Expr, LegendFormat string
			Datasource         struct{ UID string }
		}
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil || d.Title == "" || d.UID == "" || len(d.Panels) == 0 {
		t.Fatal(d.Title, err)
	}
	return d
}

// checkDashboard: its panels show metrics that there are, of the data source that is chosen, and lie beside each other.
func checkDashboard(t *testing.T, shown map[string]family) {
	d := readDashboard(t)
	if v := d.Templating.List; len(v) == 0 || v[0].Name != "datasource" || v[0].Type != "datasource" {
		t.Error("the data source cannot be chosen")
	}
	for _, v := range d.Templating.List {
		checkNames(t, "the variable "+v.Name, v.Definition, shown)
		if v.Type == "query" && v.Datasource.UID != "${datasource}" {
			t.Errorf("the variable %s is not of the chosen source", v.Name)
		}
	}
	var rows []string
	ids, taken := make(map[int]bool), make(map[[2]int]string)
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s has another one's id", p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok || x >= 24 {
					t.Fatalf("%s lies over %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if len(p.Targets) == 0 || p.Description == "" || p.Datasource.UID != "${datasource}" {
			t.Errorf("%s shows nothing, does not say what, or not of the chosen source", p.Title)
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("%s is not of the chosen source", p.Title)
			}
			checkNames(t, p.Title, target.Expr, shown)
			checkLabels(t, p.Title, target.Expr, legendLabel.FindAllStringSubmatch(target.LegendFormat, -1), shown)
		}
	}
	if want := []string{"Intake", "Log", "Readers", "Upstream", "Process"}; !slices.Equal(rows, want) {
		t.Errorf("the rows are %q", rows)
	}
}

// promtool runs Prometheus' own tool. Without it the test is left out, unless all toolchains must be there.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CONFORMANCE") == "all" {
		t.Fatal("there is no promtool")
	}
	if err != nil {
		t.Skip("there is no promtool (of Debian's package prometheus): what Prometheus itself says of the rules is left out")
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestPrometheusTakesTheRules: they are valid, and each alert fires when it should and not otherwise.
func TestPrometheusTakesTheRules(t *testing.T) {
	promtool(t, "check", "rules", rulesFile)
	promtool(t, "test", "rules", rulesTestFile)
}

// TestPrometheusTakesTheDashboard: each expression of it can be parsed, as Grafana fills it in.
func TestPrometheusTakesTheDashboard(t *testing.T) {
	type rule struct{ Record, Expr string }
	var rules []rule
	fill := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", "(a|b)", "$source", "acme", "$reader", ".*")
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			expr := fill.Replace(target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%s: there is an unknown variable in %s", p.Title, target.Expr)
			}
			rules = append(rules, rule{fmt.Sprintf("panel_%d_%d", p.ID, len(rules)), expr})
		}
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dashboard.yaml")
	writeFile(t, file, string(text))
	promtool(t, "check", "rules", file)
}
