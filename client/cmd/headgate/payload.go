package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

//go:embed samples/*.json
var samples embed.FS

// sampleNames are the names of the bodies that the command brings along.
func sampleNames() []string {
	entries, err := samples.ReadDir("samples")
	if err != nil {
		panic(err) // they are part of the binary
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// payload is a body to send.
type payload struct {
	name  string // of the sample or file
	body  []byte
	parts map[string]part
}

// part is the place of the value of one of the body's own keys.
type part struct{ from, to int }

func loadSample(name string) (payload, error) {
	if !slices.Contains(sampleNames(), name) {
		return payload{}, usagef("there is no sample %q; there are: %s", name, strings.Join(sampleNames(), " "))
	}
	body, err := samples.ReadFile("samples/" + name + ".json")
	if err != nil {
		return payload{}, err
	}
	return newPayload(name, body, false)
}

// loadFile reads a body of the user's own, from stdin when the path is "-".
func loadFile(path string, stdin io.Reader, asIs bool) (payload, error) {
	read := func() ([]byte, error) { return os.ReadFile(path) }
	if path == "-" {
		read = func() ([]byte, error) { return io.ReadAll(stdin) }
	}
	body, err := read()
	if err != nil {
		return payload{}, err
	}
	return newPayload(path, body, asIs)
}

func newPayload(name string, body []byte, asIs bool) (payload, error) {
	parts, err := findParts(body)
	if err != nil && !asIs {
		return payload{}, fmt.Errorf("%s is not a JSON object: %w (--as-is sends it all the same)", name, err)
	}
	return payload{name, body, parts}, nil
}

// findParts finds the values of a JSON object's own keys, so that one can be replaced and every other byte stays.
func findParts(body []byte) (map[string]part, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	if kind := decoder.PeekKind(); kind != '{' && kind != 0 {
		return nil, fmt.Errorf("it begins with %v", kind)
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	parts := make(map[string]part)
	for decoder.PeekKind() != '}' {
		key, err := decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		name := key.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		end := int(decoder.InputOffset())
		parts[name] = part{end - len(value), end}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	if _, err := decoder.ReadToken(); err != io.EOF {
		return nil, fmt.Errorf("something follows the object")
	}
	return parts, nil
}

// text is the value of a key that holds a string, "" otherwise.
func (p payload) text(key string) (s string) {
	if at, ok := p.parts[key]; ok {
		_ = json.Unmarshal(p.body[at.from:at.to], &s)
	}
	return s
}

// primaryKey is the record's number. ok is false where there is none, or one written as text.
func (p payload) primaryKey() (n int64, ok bool) {
	at, ok := p.parts["PrimaryKey"]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(string(p.body[at.from:at.to]), 10, 32)
	return n, err == nil
}

// fresh is the nth event of its kind: with an identifier and a time of its own, and the nth record's number. Keys that the body does not have it
// does not get; all other bytes stay.
func (p payload) fresh(n int) (payload, error) {
	values := map[string]string{
		"EventId":   strconv.Quote(newGUID()),
		"Timestamp": strconv.Quote(time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z")),
	}
	if first, ok := p.primaryKey(); ok {
		values["PrimaryKey"] = strconv.FormatInt(first+int64(n), 10)
	}
	type change struct {
		part
		value string
	}
	var changes []change
	for key, value := range values {
		if at, ok := p.parts[key]; ok {
			changes = append(changes, change{at, value})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return a.from - b.from })
	var body []byte
	at := 0
	for _, c := range changes {
		body = append(append(body, p.body[at:c.from]...), c.value...)
		at = c.to
	}
	return newPayload(p.name, append(body, p.body[at:]...), false)
}

// newGUID is a random identifier as the CRM makes them.
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
