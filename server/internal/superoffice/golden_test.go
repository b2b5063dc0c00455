package superoffice

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the golden files must not depend on the machine

	"google.golang.org/protobuf/encoding/protojson"
)

var update = flag.Bool("update", false, "rewrite testdata/golden")

// TestGolden translates every body in testdata/samples and compares the event with the file of that name in testdata/golden. The files
// named like an event type are the vendor's own samples; the others are each named after the trap that they walk into.
func TestGolden(t *testing.T) {
	samples, err := filepath.Glob("testdata/samples/*.json")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, sample := range samples {
		name := filepath.Base(sample)
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			got := translateToJSON(t, readFile(t, sample))
			golden := filepath.Join("testdata/golden", name)
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := readFile(t, golden); !bytes.Equal(got, want) {
				t.Errorf("differs from %s; run with -update if it should\ngot:\n%s\nwant:\n%s", golden, got, want)
			}
		})
	}
}

// TestGoldenHasSamples fails on a golden file that nothing is compared with.
func TestGoldenHasSamples(t *testing.T) {
	goldens, err := filepath.Glob("testdata/golden/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, golden := range goldens {
		if _, err := os.Stat(filepath.Join("testdata/samples", filepath.Base(golden))); err != nil {
			t.Errorf("%s has no sample: %v", golden, err)
		}
	}
}

func translateToJSON(t *testing.T, body []byte) []byte {
	t.Helper()
	ev, err := Translate(testSource(t), body)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	// protojson varies its white space on purpose.
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

func testSource(t testing.TB) *Source {
	t.Helper()
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	return &Source{Name: "acme", Location: oslo, Tables: map[int32]string{13: "deal", 201: "y_car"}}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
