package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a gateway of the sender that answers posts in turn, and notes when they came and as which try.
type answers struct {
	statuses []int
	posts    []string
	began    time.Time
}

// RoundTrip is part of http.RoundTripper. Status 0 is no answer at all.
func (a *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	a.posts = append(a.posts, fmt.Sprint(time.Since(a.began), " ", req.Header.Get("X-Superoffice-Retry")))
	status := a.statuses[min(len(a.posts), len(a.statuses))-1]
	if status == 0 {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	return &http.Response{StatusCode: status, Body: http.NoBody}, nil
}

// TestSenderFollowsThePolicy: 200 alone is success, two more tries, nine failures in a row or a 410 switch the webhook off.
func TestSenderFollowsThePolicy(t *testing.T) {
	once := []string{"0s 0", "1s 1", "5s 2"}
	for name, c := range map[string]struct {
		statuses  []int
		events    int
		posts     []string
		discarded int
		off       bool
	}{
		"taken":                  {[]int{200}, 1, once[:1], 0, false},
		"taken at the last try":  {[]int{503, 500, 200}, 1, once, 0, false},
		"other success is none":  {[]int{204, 202, 200}, 1, once, 0, false},
		"discarded":              {[]int{503}, 1, once, 1, false},
		"a success in between":   {[]int{503, 503, 503, 503, 503, 503, 200, 503}, 4, nil, 3, false},
		"switched off":           {[]int{503}, 4, nil, 3, true},
		"gone":                   {[]int{410}, 2, once[:1], 1, true},
		"no answer is a failure": {[]int{0, 200}, 1, []string{"0s 0", "6s 1"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway := &answers{statuses: c.statuses, began: time.Now()}
				s := newSender(t, "http://gateway/", secret)
				s.http.Transport = gateway
				for n := range c.events {
					s.deliver(t.Context(), change{n: n, key: n})
				}
				if s.discarded != c.discarded || s.off != c.off || c.posts != nil && !slices.Equal(gateway.posts, c.posts) {
					t.Errorf("posted %v, discarded %d, off: %v; want %v, %d, %v", gateway.posts, s.discarded, s.off, c.posts, c.discarded, c.off)
				}
			})
		})
	}
}
