package proof

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// crm posts events from several writers at once. It tries each one again until it is accepted, so that whatever was accepted is known, and is to be in the log
// exactly once. Safe for concurrent use.
type crm struct {
	url  string
	http *http.Client

	mu       sync.Mutex
	next     int32
	accepted map[int32]bool // by number
	failed   int            // posts
	deaf     bool           // no answer arrives
}

func newCRM(g *gateway) *crm {
	c := &crm{
		url: "http://" + g.webhook + "/webhooks/superoffice/acme", accepted: make(map[int32]bool),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 10 * time.Second},
	}
	g.t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// write posts from so many writers, each of which rests so long after each event. end lets each of them bring its last event home: the gateway must be there.
func (c *crm) write(writers int, rest time.Duration) (end func()) {
	ended := make(chan struct{})
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for {
				c.deliver()
				select {
				case <-ended:
					return
				case <-time.After(rest):
				}
			}
		})
	}
	return func() {
		close(ended)
		all.Wait()
	}
}

// deliver posts the next event until it is accepted.
func (c *crm) deliver() {
	c.mu.Lock()
	n := c.next
	c.next++
	c.mu.Unlock()
	for body := webhook(n); ; time.Sleep(2 * time.Millisecond) { // that pause is the load's, nothing waits for it
		status, err := c.post(body)
		c.mu.Lock()
		if err == nil && status == http.StatusOK && !c.deaf {
			c.accepted[n] = true
			c.mu.Unlock()
			return
		}
		c.failed++
		c.mu.Unlock()
	}
}

func (c *crm) post(body []byte) (int, error) {
	req, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req.Header = http.Header{"Content-Type": {"application/json"}, "X-Superoffice-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// webhook is the body of event n. Events differ in size; those of two tenants have the same id and the same primary key.
func webhook(n int32) []byte {
	return fmt.Appendf(nil, `{"EventId":"00000000-0000-4000-8000-%012d","Timestamp":"2026-01-02T03:04:05Z","Changes":["updated"],"Event":"relation.changed","PrimaryKey":%d,`+
		`"Entity":"relation","ContextIdentifier":"%s","ChangedByAssociateId":5,"WebhookName":"%s"}`, n/2, n/2, tenants[n%2], bytes.Repeat([]byte{'x'}, int(n%97)*10))
}

var tenants = [2]string{"Cust26759", "Cust1234"}

// numberOf is which event it is.
func numberOf(e *headgatev1.Event) int32 {
	if e.GetContext() == tenants[1] {
		return 2*e.GetPrimaryKey() + 1
	}
	return 2 * e.GetPrimaryKey()
}

// took is how many events were accepted so far.
func (c *crm) took() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.accepted)
}

// hear says whether answers arrive. Those that do not count as none.
func (c *crm) hear(answers bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = !answers
}

// upcoming is the event that the next call of deliver posts, where nobody else does.
func (c *crm) upcoming() int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}
