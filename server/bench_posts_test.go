//go:build linux || darwin

package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// postConnections is how many keep-alive connections post.
const postConnections = 64

// benchBody is the body of the n-th webhook. The event made of it has about 295 bytes on the wire.
func benchBody(n int) []byte {
	return fmt.Appendf(nil, `{"EventId":"5b0f6c1e-5fd4-41d3-849a-%012x","Timestamp":"2026-01-02T03:04:05.6789012Z",`+
		`"Changes":["relation_id","source_record","destination_record","updated"],"Event":"relation.created","PrimaryKey":%d,"Entity":"relation",`+
		`"ContextIdentifier":"Cust26759","ChangedByAssociateId":5,"WebhookName":"Relation Webhook","FieldValues":{"associateId":5,`+
		`"destination_record":2,"destination_table":5,"registered":"2026-01-02T03:04:05Z","registered_associate_id":5,"reldef_id":7,`+
		`"source_record":1,"source_table":5,"updated":"0001-01-01T00:00:00","updated_associate_id":0}}`, n, n)
}

// renderPosts makes the signed requests of n webhooks, beginning with the first-th, as they go over the wire. They are made beforehand and sent by
// hand so that the load leaves the machine to the server.
func renderPosts(first, n int) [][]byte {
	posts := make([][]byte, n)
	for i := range posts {
		body := benchBody(first + i)
		posts[i] = fmt.Appendf(nil, "POST /webhooks/superoffice/acme HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\n"+
			"X-SuperOffice-Signature: %s\r\nContent-Length: %d\r\n\r\n%s", sign(testSecret, body), len(body), body)
	}
	return posts
}

// poster holds the connections that posts go over.
type poster struct{ connections []net.Conn }

func (p *poster) dial(address string) error {
	for len(p.connections) < postConnections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		p.connections = append(p.connections, c)
	}
	return nil
}

func (p *poster) close() {
	for _, c := range p.connections {
		_ = c.Close()
	}
}

// post sends the posts, as fast as they are answered or so many a second as rate says. Each must be answered with 200, at the latest when it is
// repeated: 503 is what the CRM is told when the disk is slow, and it tries twice more.
func (p *peer) post(posts [][]byte, rate int) error {
	if err := p.poster.dial(p.http); err != nil {
		return err
	}
	var next atomic.Int64
	errs := make([]error, postConnections)
	var wg sync.WaitGroup
	start := time.Now()
	for i, c := range p.poster.connections {
		wg.Go(func() {
			in := bufio.NewReader(c)
			for n := int(next.Add(1)) - 1; n < len(posts) && errs[i] == nil; n = int(next.Add(1)) - 1 {
				if rate > 0 {
					time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(rate))))
				}
				errs[i] = postOne(c, in, posts[n])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func postOne(c net.Conn, in *bufio.Reader, post []byte) error {
	const tries = 3
	for try := 1; ; try++ {
		status, err := postOnce(c, in, post)
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			return nil
		case status != http.StatusServiceUnavailable || try == tries:
			return fmt.Errorf("a post was answered with %d, try %d", status, try)
		}
	}
}

func postOnce(c net.Conn, in *bufio.Reader, post []byte) (status int, err error) {
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := c.Write(post); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
