package webhook

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

const signature = "X-SuperOffice-Signature"

// TestSignatureVectors checks known answers: bodies as they were signed elsewhere, byte for byte.
func TestSignatureVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Secret, Signature string
		Body                    []byte `json:"body_b64"`
	}
	if err := json.Unmarshal(data, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal("no vectors: ", err)
	}
	for _, v := range vectors {
		d := newDoor(t, func(s *setup) { s.sources[0].Secrets[0].Key = []byte(v.Secret) })
		if status, text := d.post(v.Body, signature, v.Signature); status != http.StatusOK {
			t.Errorf("%s: %d %s", v.Name, status, text)
		}
		if status, _ := d.post(append(v.Body, '\n'), signature, v.Signature); status != http.StatusUnauthorized {
			t.Errorf("%s, with a newline more: %d", v.Name, status)
		}
		if n := len(d.stored()); n != 1 {
			t.Errorf("%s: %d records", v.Name, n)
		}
	}
}

// TestSignatureIsRequired: what is missing, doubled, or spelt in another way is refused with 401 and not stored.
func TestSignatureIsRequired(t *testing.T) {
	d := newDoor(t)
	b := []byte(body(t))
	good := Sign(testKey, b)
	for !strings.ContainsAny(good, "+/") { // so that its spelling in the other alphabet is another one
		b = append(b, '\n')
		good = Sign(testKey, b)
	}
	raw, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	wrong := Sign([]byte("another secret"), b)
	for name, headers := range map[string][]string{
		"missing":          nil,
		"empty":            {signature, ""},
		"wrong":            {signature, wrong},
		"two":              {signature, good, signature, good},
		"right and wrong":  {signature, good, signature, wrong},
		"in two spellings": {signature, good, "x-superoffice-signature", wrong},
		"a list":           {signature, good + ", " + good},
		"without padding":  {signature, strings.TrimRight(good, "=")},
		"of URLs":          {signature, base64.URLEncoding.EncodeToString(raw)},
		"in hex":           {signature, fmt.Sprintf("%x", raw)},
		"with a blank":     {signature, good[:10] + " " + good[10:]},
		"with a scheme":    {signature, "sha256=" + good},
		"in another field": {"X-Signature", good},
	} {
		if status, _ := d.post(b, headers...); status != http.StatusUnauthorized {
			t.Errorf("%s: answered %d", name, status)
		}
	}
	// Header values that no client sends and no server passes on.
	for _, value := range []string{good + "\n", " " + good, good + "\x00", good[:20] + "\r\n" + good[20:], good + "=", good + "A"} {
		r := httptest.NewRequest(http.MethodPost, Path+"acme", strings.NewReader(string(b)))
		r.Header[http.CanonicalHeaderKey(signature)] = []string{value}
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%q: answered %d", value, w.Code)
		}
	}
	if n := len(d.stored()); n != 0 {
		t.Errorf("%d records", n)
	}
	for _, spelling := range []string{signature, "x-superoffice-signature", "X-SUPEROFFICE-SIGNATURE"} {
		if status, _ := d.post(b, spelling, good); status != http.StatusOK {
			t.Errorf("in the header %s: %d", spelling, status)
		}
	}
}

// TestSignatureOfEveryOtherBit flips every bit of the signature, and bits of the body.
func TestSignatureOfEveryOtherBit(t *testing.T) {
	d := newDoor(t)
	b := []byte(body(t))
	good := Sign(testKey, b)
	try := func(b []byte, sign, what string) {
		r := httptest.NewRequest(http.MethodPost, Path+"acme", strings.NewReader(string(b)))
		r.Header[http.CanonicalHeaderKey(signature)] = []string{sign}
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: answered %d", what, w.Code)
		}
	}
	for bit := range len(good) * 8 {
		other := []byte(good)
		other[bit/8] ^= 1 << (bit % 8)
		try(b, string(other), fmt.Sprintf("bit %d of the signature", bit))
	}
	raw, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		raw[bit/8] ^= 1 << (bit % 8)
		try(b, base64.StdEncoding.EncodeToString(raw), fmt.Sprintf("bit %d of the code", bit))
		raw[bit/8] ^= 1 << (bit % 8)
	}
	for range 500 {
		bit := rand.IntN(len(b) * 8)
		b[bit/8] ^= 1 << (bit % 8)
		try(b, good, fmt.Sprintf("bit %d of the body", bit))
		b[bit/8] ^= 1 << (bit % 8)
	}
	if n := len(d.stored()); n != 0 {
		t.Errorf("%d records", n)
	}
}

// TestSecretsRotate: either of two secrets will do, each only while it is valid.
func TestSecretsRotate(t *testing.T) {
	var now time.Time
	from, to := today, today.Add(time.Hour)
	d := newDoor(t, func(s *setup) {
		s.opt.Now = func() time.Time { return now }
		s.sources[0].Secrets = []Secret{
			{ID: "old", Key: []byte("old"), NotAfter: to},
			{ID: "new", Key: []byte("new"), NotBefore: from},
			{ID: "always", Key: []byte("always")},
		}
	})
	b := []byte(body(t))
	for _, c := range []struct {
		key  string
		now  time.Time
		want int
	}{
		{"old", from, 200},
		{"old", to.Add(-1), 200},
		{"old", to, 401},
		{"old", to.Add(time.Hour), 401},
		{"new", from.Add(-1), 401},
		{"new", from, 200},
		{"new", to.Add(time.Hour), 200},
		{"always", from.Add(-1000 * time.Hour), 200},
		{"always", to.Add(1000 * time.Hour), 200},
		{"never", from, 401},
	} {
		now = c.now
		if status, _ := d.post(b, signature, Sign([]byte(c.key), b)); status != c.want {
			t.Errorf("%s at %v: answered %d, want %d", c.key, c.now, status, c.want)
		}
	}
}

// TestSourcesHaveTheirOwnSecrets: one source's secret opens no other, and none opens a source without secrets.
func TestSourcesHaveTheirOwnSecrets(t *testing.T) {
	d := newDoor(t, func(s *setup) {
		other := s.sources[0]
		other.Name, other.Secrets = "globex", []Secret{{ID: "a", Key: []byte("globex's")}}
		none := s.sources[0]
		none.Name, none.Secrets = "none", nil
		dev := s.sources[0]
		dev.Name, dev.Secrets, dev.Contexts, dev.Unsigned = "dev", nil, nil, true
		s.sources = append(s.sources, other, none, dev)
	})
	for _, c := range []struct {
		source string
		want   int
	}{{"acme", 200}, {"globex", 401}, {"none", 401}, {"dev", 200}} {
		d.url = "http://" + d.address + Path + c.source
		if status, _ := d.signed(body(t)); status != c.want {
			t.Errorf("%s: answered %d, want %d", c.source, status, c.want)
		}
	}
	if status, _ := d.post([]byte(body(t))); status != 200 {
		t.Errorf("the unsigned source answered %d", status)
	}
	if n := len(d.stored()); n != 2 {
		t.Errorf("%d records; one is acme's, one is dev's", n)
	}
}

// TestReplaysAreOneEvent posts one body 10,000 times at once.
func TestReplaysAreOneEvent(t *testing.T) {
	d := newDoor(t)
	b := []byte(body(t))
	good := Sign(testKey, b)
	const posts, clients = 10_000, 64
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := c; i < posts; i += clients {
				// Over the wire now and then; the rest goes straight to the handler.
				if i%20 == 0 {
					if status, _ := d.post(b, signature, good); status != http.StatusOK {
						t.Errorf("answered %d", status)
					}
					continue
				}
				r := httptest.NewRequest(http.MethodPost, Path+"acme", strings.NewReader(string(b)))
				r.Header.Set(signature, good)
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				if d.handler.ServeHTTP(w, r); w.Code != http.StatusOK {
					t.Errorf("answered %d", w.Code)
				}
			}
		})
	}
	wg.Wait()
	st := d.handler.Status()[0]
	if n := len(d.stored()); n != 1 || st.Accepted != 1 || st.Duplicates != posts-1 {
		t.Errorf("%d records, counted %+v", n, st)
	}
}
