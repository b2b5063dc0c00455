package conformance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const secret = "a secret of the conformance kit"

// The CRM's documented policy.
const (
	answerWithin   = 5 * time.Second
	failuresToStop = 9 // failed posts in a row that switch a webhook off
)

// pauses are what it waits before it tries again. When there is none left the event is discarded.
var pauses = []time.Duration{time.Second, 4 * time.Second}

// change is what happened in the CRM. What is not set is as in the first tenant.
type change struct {
	n       int    // makes the event's id
	key     int    // the record
	event   string // default contact.changed
	source  string // default acme
	context string // default Cust26759
	by      int    // the associate; default 5
	fields  []string
	values  map[string]any
	at      time.Time // by the CRM's clock
	broken  bool      // authentic, and no event can be made of it
}

// body is the webhook's body.
func (c change) body() []byte {
	event, at := or(c.event, "contact.changed"), or(c.at, time.Now())
	entity := event
	if dot := strings.LastIndex(event, "."); dot > 0 {
		entity = event[:dot]
	}
	b := map[string]any{
		"EventId": fmt.Sprintf("00000000-0000-4000-8000-%012d", c.n), "Timestamp": at.UTC().Format("2006-01-02T15:04:05.0000000Z"), "Changes": c.fields,
		"Event": event, "PrimaryKey": c.key, "Entity": entity, "ContextIdentifier": or(c.context, "Cust26759"),
		"ChangedByAssociateId": or(c.by, 5), "WebhookName": "conformance",
	}
	if c.values != nil {
		b["FieldValues"] = c.values
	}
	if c.broken {
		b["PrimaryKey"] = []int{c.key}
	}
	body, _ := json.Marshal(b)
	return body
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// sender is the CRM: it posts signed webhooks, tries again as documented, and gives up as documented. Safe for concurrent use.
type sender struct {
	t      *testing.T
	url    string // without the source
	secret string
	http   *http.Client

	mu        sync.Mutex
	failed    int    // posts in a row
	refused   int    // posts at all
	refusal   string // the last one's
	discarded int    // events
	off       bool
}

func newSender(t *testing.T, url, secret string) *sender {
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return &sender{t: t, url: url, secret: secret, http: &http.Client{Transport: transport, Timeout: answerWithin}}
}

// post sends a body once, the retry-th time, and returns the answer's status.
func (s *sender) post(ctx context.Context, source, event string, body []byte, retry int) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+source, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	mac := hmac.New(sha256.New, []byte(s.secret))
	mac.Write(body)
	req.Header = http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"NetServer-Webhook/10.0"}, "X-Superoffice-Event": {event},
		"X-Superoffice-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}, "X-Superoffice-Retry": {strconv.Itoa(retry)},
	}
	if event == "test" {
		req.Header.Set("X-Hook-Test", "true")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// deliver sends one change as the CRM does: 200 alone is success, and it tries twice more. It reports whether the gateway took it.
func (s *sender) deliver(ctx context.Context, c change) bool {
	event, body := or(c.event, "contact.changed"), c.body()
	for retry := 0; ; retry++ {
		if s.isOff() || ctx.Err() != nil {
			return false
		}
		status, err := s.post(ctx, or(c.source, "acme"), event, body, retry)
		if err == nil && status == http.StatusOK {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.failed = 0
			return true
		}
		if last := s.refuse(status, err, retry); last {
			return false
		}
		select {
		case <-ctx.Done():
		case <-time.After(pauses[retry]):
		}
	}
}

// refuse counts a post that failed and reports whether it was the event's last.
func (s *sender) refuse(status int, err error, retry int) (last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed++
	s.refused++
	s.refusal = fmt.Sprintf("status %d, error %v", status, err)
	s.off = s.off || s.failed >= failuresToStop || status == http.StatusGone
	if last = retry == len(pauses) || s.off; last {
		s.discarded++
	}
	return last
}

func (s *sender) isOff() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.off
}

// test is what the CRM posts when a webhook is saved. It is never an event.
func (s *sender) test() { s.send(change{event: "test"}) }

// insist delivers a change that a behaviour needs in the log. Where the machine is so busy that the gateway cannot store it within the CRM's patience, the
// administrator has it sent again.
func (s *sender) insist(ctx context.Context, c change) error {
	for end := time.Now().Add(patience); !s.deliver(ctx, c); s.resume() {
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("the gateway did not take %+v", c)
		}
	}
	return nil
}

// resume forgets what failed.
func (s *sender) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off, s.failed, s.discarded = false, 0, 0
}

// send delivers changes one after the other, and fails the test when one is not taken.
func (s *sender) send(changes ...change) {
	s.t.Helper()
	for _, c := range changes {
		if err := s.insist(s.t.Context(), c); err != nil {
			s.t.Fatal(err)
		}
	}
}

// burst delivers changes as an import does: many at a time. Those of one record stay in order.
func (s *sender) burst(changes []change) {
	s.t.Helper()
	const writers = 16
	g, ctx := errgroup.WithContext(s.t.Context())
	for w := range writers {
		g.Go(func() error {
			for _, c := range changes {
				if c.key%writers != w {
					continue
				}
				if err := s.insist(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		s.t.Fatal(err)
	}
}

// changes are the changes from one number to the other, of so many records in turn.
func changes(from, to, records int) (list []change) {
	for n := from; n <= to; n++ {
		list = append(list, change{n: n, key: n % records})
	}
	return list
}
