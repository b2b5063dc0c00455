package client_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// tokens is a script that ends with the tokens it was called with, as a refusal's words.
func tokens(_ *headgatev1.SubscribeRequest, stream scripted.Stream) error {
	md, _ := metadata.FromIncomingContext(stream.Context())
	return status.Error(codes.PermissionDenied, strings.Join(md.Get("authorization"), ","))
}

func TestTokenIsSentOverTLS(t *testing.T) {
	// Only its certificate is wanted: it is good for 127.0.0.1.
	https := httptest.NewTLSServer(nil)
	defer https.Close()
	gateway := &scripted.Gateway{
		Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{tokens},
		Options:   []grpc.ServerOption{grpc.Creds(credentials.NewServerTLSFromCert(&https.TLS.Certificates[0]))},
	}
	address, err := gateway.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Stop()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	c, err := client.Dial(address, client.WithTLS(&tls.Config{RootCAs: roots}), client.WithToken("s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := read(t.Context(), c, client.Subscription{}); client.ErrorOf(err).Message != "Bearer s3cret" {
		t.Errorf("the gateway saw %v", err)
	}
}

func TestTokenIsNotSentUnencryptedToAnotherMachine(t *testing.T) {
	plain := client.WithDialOptions(grpc.WithTransportCredentials(insecure.NewCredentials()))
	if _, err := client.Dial("gateway.example:9090", client.WithToken("s3cret"), plain); err == nil {
		t.Error("a token may travel unencrypted")
	}
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{tokens}}
	address, err := gateway.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Stop()
	c, err := client.Dial(address, client.WithToken("s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := read(t.Context(), c, client.Subscription{}); client.ErrorOf(err).Message != "Bearer s3cret" {
		t.Errorf("the gateway on this machine saw %v", err)
	}
}

// Another machine is spoken to encrypted unless the caller says otherwise, whatever its name looks like.
func TestOnlyThisMachineIsSpokenToInTheClear(t *testing.T) {
	bearer := client.WithToken("s3cret") // grpc refuses it over an unencrypted connection to another machine
	for _, target := range []string{"127.0.0.1:1", "localhost:1", "[::1]:1", "127.9.9.9:1", "unix:/tmp/gateway", "unix:///tmp/gateway", "dns:///localhost:1", ":1"} {
		c, err := client.Dial(target, bearer, client.WithDialOptions(grpc.WithTransportCredentials(insecure.NewCredentials())))
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		_ = c.Close()
	}
	for _, target := range []string{"10.0.0.5:1", "localhost.example:1", "127.0.0.1.example:1", "[2001:db8::1]:1", "dns:///gateway:1"} {
		if _, err := client.Dial(target, bearer, client.WithDialOptions(grpc.WithTransportCredentials(insecure.NewCredentials()))); err == nil {
			t.Errorf("%s is taken for this machine", target)
		}
	}
}

func TestAddressWithoutPortIsRefused(t *testing.T) {
	for _, address := range []string{"", "gateway", "::1"} {
		if _, err := client.Dial(address); err == nil || !strings.Contains(err.Error(), "host:port") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestConnServesTheGeneratedClients(t *testing.T) {
	c, _ := dial(t, replay(0))
	_, err := headgatev1.NewEventServiceClient(c.Conn()).DescribeLog(t.Context(), &headgatev1.DescribeLogRequest{})
	if answer := client.ErrorOf(err); answer == nil || answer.Code != codes.Unimplemented {
		t.Errorf("answered %v", err)
	}
	if client.ErrorOf(nil) != nil {
		t.Error("no error reads as one")
	}
}

func TestNamesFitTogether(t *testing.T) {
	if got := client.EntityRelation + "." + client.ActionCreated; got != client.EventRelationCreated {
		t.Errorf("%s is not %s", got, client.EventRelationCreated)
	}
	all := []string{client.EventContactSoftDeleted, client.EventPersonConsented, client.EventChatSessionMessage, client.EventDocumentEdited, client.EventSaleSold, client.EventQuoteOrdered}
	want := []string{"contact.softdeleted", "person.consented", "chatsession.message", "document.edited", "sale.sold", "quote.ordered"}
	if !slices.Equal(all, want) {
		t.Errorf("%v, want %v", all, want)
	}
}
