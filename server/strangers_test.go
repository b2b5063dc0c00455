package server

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestAnswersToStrangersNobodyTakes: somebody without credentials who asks over HTTP/2 and makes no room for any answer has the gateway keep a hundred of them.
// All others are their status alone. Known readers of the same address are served.
func TestAnswersToStrangersNobodyTakes(t *testing.T) {
	const connections, each, kept = 12, 20, 100
	h := newHouse(t)
	endless := make(chan http2.Frame, connections*each)
	for range connections {
		config := h.pki.client(nil)
		config.NextProtos = []string{"h2"}
		c, err := tls.Dial("tcp", h.s.Addresses().API, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		f := http2.NewFramer(c, c)
		f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		if _, err = io.WriteString(c, http2.ClientPreface); err == nil {
			err = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		}
		for n := range each {
			var block bytes.Buffer
			fields := hpack.NewEncoder(&block)
			for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", []string{"/v1/log", "/openapi.json"}[n%2]}} {
				_ = fields.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}) // into memory
			}
			if err == nil {
				err = f.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*n + 1), BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				frame, err := f.ReadFrame()
				if err != nil {
					return
				}
				if d, ok := frame.(*http2.DataFrame); ok && d.StreamEnded() && d.Length == 0 {
					endless <- frame
				} else if m, ok := frame.(*http2.MetaHeadersFrame); ok && m.StreamEnded() {
					endless <- frame
				}
			}
		}()
	}
	for range connections*each - kept {
		frame := <-endless
		if m, ok := frame.(*http2.MetaHeadersFrame); ok && m.PseudoValue("status") != "401" && m.PseudoValue("status") != "429" {
			t.Errorf("an answer without a body: %v", m.Fields)
		}
	}
	resp := h.open(t.Context(), "all", http.MethodGet, "/v1/log", "")
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || len(body) == 0 || err != nil {
		t.Errorf("a reader gets %d, %s, %v", resp.StatusCode, body, err)
	}
	refused := h.open(t.Context(), "nobody", http.MethodGet, "/v1/log", "")
	defer refused.Body.Close()
	if body, err := io.ReadAll(refused.Body); refused.StatusCode != http.StatusUnauthorized || len(body) != 0 || err != nil {
		t.Errorf("somebody else of the address gets %d, %s, %v", refused.StatusCode, body, err)
	}
	if n := len(endless); n != 0 {
		t.Errorf("%d more had no body", n)
	}
}
