// Package console is the console: a page that shows a running gateway to whoever may see it. It has no data of its own. All that it shows it asks for over the
// public REST API, as the reader who opened it; so whoever may not read something over REST does not see it here.
//
// What is served is in dist/, which is committed, built by `npm ci && npm run build` in this folder from src/.
package console

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed dist
var dist embed.FS

// Path is where the page is.
const Path = "/console/"

// policy lets the page load what is served beside it and ask the gateway, and nothing else: no script or style within the page, no other origin, no frame around it,
// and no text that is taken for HTML.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// mediaTypes are those of what is in dist. The machine's own table is not asked, as it may say otherwise.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

// Files are the paths of everything that is served, the page's own first.
func Files() []string {
	list := []string{Path}
	_ = fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, _ error) error {
		if base := path.Base(name); !entry.IsDir() && base != "index.html" {
			list = append(list, Path+base)
		}
		return nil
	})
	return list
}

// Serve answers a request for the page or for one of its assets, and returns false when it is for something else. It does not ask who calls, as there is nothing
// that is anybody's in them.
func Serve(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.ContentLength != 0 {
		return false
	}
	if r.URL.Path == "/" || r.URL.Path+"/" == Path {
		http.Redirect(w, r, Path, http.StatusFound)
		return true
	}
	name, ok := strings.CutPrefix(r.URL.Path, Path)
	if !ok || name == "index.html" {
		return false
	}
	h := w.Header()
	cache := "public, max-age=31536000, immutable" // its name is its content's hash
	if name == "" {
		name, cache = "index.html", "no-cache"
	}
	content, err := dist.ReadFile("dist/" + name)
	if err != nil {
		return false
	}
	h.Set("Cache-Control", cache)
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Type", mediaTypes[path.Ext(name)])
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	r.Header.Del("Range") // the files are small, and thousands of ranges of one are not
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return true
}
