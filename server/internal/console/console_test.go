package console

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func ask(method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	if !Serve(w, httptest.NewRequest(method, path, strings.NewReader(body))) {
		w.Code = 0
	}
	return w
}

// TestCaching: what is named by its content is kept for ever, the page that names it is not kept.
func TestCaching(t *testing.T) {
	page := ask(http.MethodGet, Path, "")
	if got := page.Header().Get("Cache-Control"); page.Code != http.StatusOK || got != "no-cache" {
		t.Errorf("the page: %d, %q", page.Code, got)
	}
	named := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(named) != len(Files())-1 {
		t.Errorf("the page names %d files, there are %v", len(named), Files())
	}
	for _, name := range named {
		asset := ask(http.MethodGet, Path+name[1], "")
		h := asset.Header()
		if asset.Code != http.StatusOK || !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Content-Type") == "" {
			t.Errorf("%s: %d, %v", name[1], asset.Code, h)
		}
	}
}

// TestPolicy: nothing runs in the page, and nothing is shown in it, that is not served beside it.
func TestPolicy(t *testing.T) {
	page := ask(http.MethodGet, Path, "")
	if got := page.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(got, "unsafe") {
		t.Errorf("the policy is %q", got)
	}
	text := page.Body.String()
	if inline := regexp.MustCompile(`<style|<script[^>]*>[^<]| style=| on\w+=|//`).FindString(text); inline != "" {
		t.Errorf("the page has %q within", inline)
	}
}

// TestServesOnlyItself: the rest is the API's, requests of other kinds included.
func TestServesOnlyItself(t *testing.T) {
	for _, path := range []string{"/", "/console"} {
		if w := ask(http.MethodGet, path, ""); w.Code != http.StatusFound || w.Header().Get("Location") != Path {
			t.Errorf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	for _, path := range []string{"/v1/log", "/consoles", "/console/index.html", "/console/app.js", "/console/../console.go", "/console/x/"} {
		if w := ask(http.MethodGet, path, ""); w.Code != 0 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if ask(http.MethodPost, Path, "").Code != 0 || ask(http.MethodGet, Path, "with a body").Code != 0 || ask(http.MethodHead, Path, "").Code != http.StatusOK {
		t.Error("only GET and HEAD without a body are for the page")
	}
}
