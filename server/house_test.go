package server

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/access"
)

// house is a gateway with two sources, four tenants and a reader of every kind. It speaks TLS, so that certificates count.
type house struct {
	t       *testing.T
	stop    func()
	s       *Server
	dir     string
	pki     *pki
	machine *certificate
	key     *certificate // the issuer's
	// grpcOf and httpOf are connections by who is at their end: the certificate's reader, and all others.
	grpcOf map[bool]*grpc.ClientConn
	httpOf map[bool]*http.Client
	tokens map[string]string
}

const houseReaders = `readers:
  cust1: {tokens: [{cust1}], allow: [{sources: [acme], contexts: [Cust1234], entities: [relation]}]}
  associates: {tokens: [{associates}], allow: [{sources: ["*"], entities: [associate]}]}
  globex: {tokens: [{globex}], allow: [{sources: [globex]}]}
  created: {tokens: [{created}], allow: [{sources: ["*"], actions: [created]}]}
  all: {tokens: [{all}], allow: [{sources: ["*"], raw_body: true}]}
  chief: {tokens: [{chief}], operator: true}
  machine: {client_certificate: "spiffe://corp/machine", allow: [{sources: [acme], contexts: ["Cust*"]}]}
  auditor:
    jwt: {issuer: https://id.corp, audience: headgate, subject: auditor, keys_file: keys.json}
    allow: [{sources: [globex], entities: [contact], raw_body: true}]
`

// houseFile is its configuration, with these readers.
func houseFile(readers string) string {
	for _, name := range []string{"cust1", "associates", "globex", "created", "all", "chief"} {
		readers = strings.ReplaceAll(readers, "{"+name+"}", `"`+access.HashToken("token of "+name)+`"`)
	}
	return good(map[string]string{"data_dir": "log", "contexts": "[Cust26759, Cust1234, Default]", "top": `
  globex: {contexts: [Default], time_zone: UTC, secrets: [{id: a, file: secrets/globex}]}
listen: {webhook: "127.0.0.1:0", api: "127.0.0.1:0", grpc: "127.0.0.1:0", admin: "127.0.0.1:0"}
retention: {max_size: 64MiB, disk_reserve: 1MiB}
tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, client_ca_file: tls/ca.pem, listeners: [api, grpc]}
` + readers})
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return houseIn(t, folder(t, houseFile(houseReaders)))
}

// newHouseOf is newHouse with another configuration.
func newHouseOf(t *testing.T, config string) *house {
	t.Helper()
	return houseIn(t, folder(t, config))
}

// houseIn is the house with the configuration in the folder.
func houseIn(t *testing.T, dir string) *house {
	t.Helper()
	h := &house{t: t, dir: dir, grpcOf: map[bool]*grpc.ClientConn{}, httpOf: map[bool]*http.Client{}}
	h.pki, h.key = newPKI(t, h.dir), newAuthority(t, "issuer")
	h.machine = h.pki.clients.issue(t, "machine")
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: h.key.key.Public(), KeyID: "1", Algorithm: "ES256"}}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(h.dir, "keys.json"), string(set))
	h.s, h.stop = serving(t, h.dir)
	h.tokens = map[string]string{
		"nobody": "", "machine": "", "unknown": "no reader's token",
		"expired": h.jwt(time.Now().Add(-time.Minute)), "auditor": h.jwt(time.Now().Add(time.Hour)),
	}
	for _, own := range []bool{false, true} {
		config := h.pki.client(nil)
		if own {
			config = h.pki.client(h.machine)
		}
		conn, err := grpc.NewClient(h.s.Addresses().GRPC, grpc.WithTransportCredentials(credentials.NewTLS(config)))
		if err != nil {
			t.Fatal(err)
		}
		plain := config.Clone()
		plain.NextProtos = nil
		transport := &http.Transport{TLSClientConfig: plain}
		h.grpcOf[own], h.httpOf[own] = conn, &http.Client{Transport: transport}
		t.Cleanup(func() {
			_ = conn.Close()
			transport.CloseIdleConnections()
		})
	}
	return h
}

// jwt is a token of the auditor.
func (h *house) jwt(until time.Time) string {
	h.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: h.key.key, KeyID: "1"}}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	jws, err := signer.Sign(fmt.Appendf(nil, `{"iss":"https://id.corp","aud":"headgate","sub":"auditor","exp":%d}`, until.Unix()))
	if err != nil {
		h.t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

func (h *house) token(who string) string {
	if token, ok := h.tokens[who]; ok {
		return token
	}
	return "token of " + who
}

// as is a context in which calls are that reader's, and the client to call with.
func (h *house) as(ctx context.Context, who string) (context.Context, headgatev1.EventServiceClient) {
	if token := h.token(who); token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	return ctx, headgatev1.NewEventServiceClient(h.grpcOf[who == "machine"])
}

func (h *house) open(ctx context.Context, who, method, path, accept string) *http.Response {
	h.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "https://"+h.s.Addresses().API+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if token := h.token(who); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := h.httpOf[who == "machine"].Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp
}

func (h *house) http(who, method, path, accept string) (int, string) {
	h.t.Helper()
	resp := h.open(h.t.Context(), who, method, path, accept)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// post posts a signed body and expects it to be stored.
func (h *house) post(source string, body []byte) {
	h.t.Helper()
	secret := map[string]string{"acme": acmeSecret, "globex": "globex-secret-0123456789"}[source]
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "http://"+h.s.Addresses().Webhook+"/webhooks/superoffice/"+source, strings.NewReader(string(body)))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-SuperOffice-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatalf("a post was answered with %d, %v", resp.StatusCode, err)
	}
}

// webhookBody is the body of a webhook. Those of one number have the same event id, whatever else they are.
func webhookBody(n int, context, entity, action, more string) []byte {
	return fmt.Appendf(nil, `{"EventId":"00000000-0000-4000-8000-%012d","Timestamp":"2026-01-02T03:04:05Z","Changes":["updated"],"Event":"%s.%s","PrimaryKey":%d,`+
		`"Entity":"%s","ContextIdentifier":"%s","ChangedByAssociateId":5,"WebhookName":"test%s"}`, n, entity, action, n, entity, context, more)
}

// receive gives the next message of a stream.
type receive func() (*headgatev1.SubscribeResponse, error)

// ways are how a stream can be had. query is of the REST form, req says the same.
var ways = map[string]func(h *house, ctx context.Context, who string, req *headgatev1.SubscribeRequest, query string) receive{
	"grpc": func(h *house, ctx context.Context, who string, req *headgatev1.SubscribeRequest, _ string) receive {
		ctx, client := h.as(ctx, who)
		stream, err := client.Subscribe(ctx, req)
		if err != nil {
			h.t.Fatal(err)
		}
		return stream.Recv
	},
	"ndjson": func(h *house, ctx context.Context, who string, _ *headgatev1.SubscribeRequest, query string) receive {
		return h.lines(ctx, who, query, "", func(in *bufio.Reader) (*headgatev1.SubscribeResponse, error) {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return nil, err
			}
			var outer struct{ Result, Error json.RawMessage }
			if err := json.Unmarshal(line, &outer); err != nil || outer.Error != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			m := &headgatev1.SubscribeResponse{}
			return m, protojson.Unmarshal(outer.Result, m)
		})
	},
	"sse": func(h *house, ctx context.Context, who string, _ *headgatev1.SubscribeRequest, query string) receive {
		return h.lines(ctx, who, query, "text/event-stream", readBlock)
	},
}

func (h *house) lines(ctx context.Context, who, query, accept string, next func(*bufio.Reader) (*headgatev1.SubscribeResponse, error)) receive {
	h.t.Helper()
	resp := h.open(ctx, who, http.MethodGet, "/v1/events:subscribe?"+query, accept)
	h.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		return func() (*headgatev1.SubscribeResponse, error) {
			return nil, fmt.Errorf("the answer is %d", resp.StatusCode)
		}
	}
	in := bufio.NewReader(resp.Body)
	return func() (*headgatev1.SubscribeResponse, error) { return next(in) }
}

// readBlock reads one Server-Sent Event as the message that it was made of. A block with an id alone is a checkpoint.
func readBlock(in *bufio.Reader) (*headgatev1.SubscribeResponse, error) {
	field := map[string]string{}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		field[name] = value
	}
	m := &headgatev1.SubscribeResponse{Cursor: field["id"]}
	switch name, data := field["event"], field["data"]; {
	case name == "failure":
		return nil, errors.New(data)
	case name != "":
		return m, protojson.Unmarshal(fmt.Appendf(nil, `{"cursor":%q,%q:%s}`, m.Cursor, name, data), m)
	case data != "":
		e := &headgatev1.Event{}
		m.Events = []*headgatev1.Event{e}
		return m, protojson.Unmarshal([]byte(data), e)
	}
	m.Signal = &headgatev1.SubscribeResponse_Checkpoint{Checkpoint: &headgatev1.Checkpoint{}}
	return m, nil
}
