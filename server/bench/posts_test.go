//go:build linux || darwin

package bench

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// postConnections is how many keep-alive connections post.
const postConnections = 64

// body is that of the n-th webhook. The event made of it has about 295 bytes on the wire; its primary key is n.
func body(n, contexts int) []byte {
	return fmt.Appendf(nil, `{"EventId":"5b0f6c1e-5fd4-41d3-849a-%012x","Timestamp":"2026-01-02T03:04:05.6789012Z",`+
		`"Changes":["relation_id","source_record","destination_record","updated"],"Event":"relation.created","PrimaryKey":%d,"Entity":"relation",`+
		`"ContextIdentifier":"%s","ChangedByAssociateId":5,"WebhookName":"Relation Webhook","FieldValues":{"associateId":5,`+
		`"destination_record":2,"destination_table":5,"registered":"2026-01-02T03:04:05Z","registered_associate_id":5,"reldef_id":7,`+
		`"source_record":1,"source_table":5,"updated":"0001-01-01T00:00:00","updated_associate_id":0}}`, n, n, contextOf(n, contexts))
}

func sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// posts are requests as they go over the wire. They are made beforehand and sent by hand so that the load leaves the machine to the server.
type posts struct {
	first    int // the number of the first one
	requests [][]byte
	sentAt   []atomic.Int64 // by place, in Unix nanoseconds; just before it was written the first time
}

// render makes the signed requests of n webhooks, beginning with the first-th.
func render(first, n, contexts int) *posts {
	p := &posts{first: first, requests: make([][]byte, n), sentAt: make([]atomic.Int64, n)}
	for i := range p.requests {
		b := body(first+i, contexts)
		p.requests[i] = fmt.Appendf(nil, "POST /webhooks/superoffice/%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\n"+
			"X-SuperOffice-Signature: %s\r\nContent-Length: %d\r\n\r\n%s", source, sign(b), len(b), b)
	}
	return p
}

// poster is the connections that posts go over.
type poster []net.Conn

func dialPosts(address string) (p poster, err error) {
	for range postConnections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			p.close()
			return nil, err
		}
		p = append(p, c)
	}
	return p, nil
}

func (p poster) close() {
	for _, c := range p {
		_ = c.Close()
	}
}

// post sends the posts, as fast as they are answered or so many a second as perSecond says. Each must be answered with 200, at the latest when it is
// repeated: 503 is what the CRM is told when the disk is slow, and it tries twice more.
func (p poster) post(all *posts, perSecond int) error {
	var next atomic.Int64
	errs := make([]error, len(p))
	var wg sync.WaitGroup
	start := time.Now()
	for i, c := range p {
		wg.Go(func() {
			in := bufio.NewReader(c)
			for n := int(next.Add(1)) - 1; n < len(all.requests) && errs[i] == nil; n = int(next.Add(1)) - 1 {
				if perSecond > 0 {
					time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(perSecond))))
				}
				errs[i] = postOne(c, in, all, n)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func postOne(c net.Conn, in *bufio.Reader, all *posts, n int) error {
	const tries = 3
	for try := 1; ; try++ {
		if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			return err
		}
		all.sentAt[n].CompareAndSwap(0, time.Now().UnixNano())
		if _, err := c.Write(all.requests[n]); err != nil {
			return err
		}
		status, err := readAnswer(in)
		switch {
		case err != nil:
			return err
		case status == "200":
			return nil
		case status != "503" || try == tries:
			return fmt.Errorf("a post was answered with %s, try %d", status, try)
		}
	}
}

// readAnswer reads an answer that says how long it is.
func readAnswer(in *bufio.Reader) (status string, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	words := bytes.Fields(line)
	if len(words) < 2 {
		return "", errors.New("a post was answered with something that is not HTTP")
	}
	status = string(words[1])
	for length := 0; ; {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			_, err := in.Discard(length)
			return status, err
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return "", err
			}
		}
	}
}
