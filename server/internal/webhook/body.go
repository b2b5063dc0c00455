package webhook

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"sync"

	"github.com/headgate/headgate/server/internal/refusal"
)

const (
	// usualBody is how large a body may be that gets the room that its header asks for. Larger ones must first show that they come.
	usualBody = 4 << 10
	// smallBody is how large a body may be that is read whatever else goes on. Most events have less than a tenth of it.
	smallBody = 64 << 10
	// heldMost bounds what larger bodies take at once, heldFromOneHost what those of one host do: a body is read before its signature can be checked,
	// so anybody can send one.
	heldMost, heldFromOneHost = 64 << 20, 16 << 20
)

// readBody reads the whole body within its bounds. Unless it is refused, free must be called when the body is no longer needed.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, sender netip.Addr, most int64) (body []byte, free func(), a answer) {
	if r.ContentLength > most {
		return nil, nil, tooLarge
	}
	if 0 < r.ContentLength && r.ContentLength <= usualBody {
		body = make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil { // it ends there
			return nil, nil, unreadable(err)
		}
		return body, func() {}, answer{}
	}
	in := http.MaxBytesReader(w, r.Body, most)
	body, err := io.ReadAll(io.LimitReader(in, smallBody+1))
	if err != nil {
		return nil, nil, unreadable(err)
	}
	if len(body) <= smallBody {
		return body, func() {}, answer{}
	}
	size := most
	if r.ContentLength >= 0 {
		size = r.ContentLength
	}
	free, ok := h.held.take(refusal.Network(sender), size)
	if !ok {
		return nil, nil, busy
	}
	whole := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // so it never grows
	whole.Write(body)
	if _, err := whole.ReadFrom(in); err != nil {
		free()
		return nil, nil, unreadable(err)
	}
	return whole.Bytes(), free, answer{}
}

func unreadable(err error) answer {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return tooSlow
	}
	return broken.because(err)
}

// held counts the bytes of the large bodies that are in memory. The zero value is ready; it is safe for concurrent use.
type held struct {
	mu   sync.Mutex
	all  int64                // guarded by mu, as is the other
	from map[netip.Addr]int64 // those hosts that have some
}

// take counts that many bytes more, if there is room for them. Then free must be called once, when they are gone.
func (h *held) take(host netip.Addr, size int64) (free func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all+size > heldMost || h.from[host]+size > heldFromOneHost {
		return nil, false
	}
	if h.from == nil {
		h.from = make(map[netip.Addr]int64)
	}
	h.all += size
	h.from[host] += size
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all -= size
		if h.from[host] -= size; h.from[host] == 0 {
			delete(h.from, host)
		}
	}, true
}
