package main

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/headgate/headgate/client"
)

// explain turns the error of a call into what its user can do about it. Other errors it returns as they are.
func (g *gateway) explain(err error) error {
	answer, ok := errors.AsType[*client.Error](err)
	if !ok {
		return err
	}
	said := printable(answer.Error())
	switch {
	case noGateway(answer):
		return g.notConnected(printable(answer.Message))
	case answer.Reason == client.ReasonFilterInvalid:
		return usageError{errors.New(said)}
	case answer.Code == codes.Unauthenticated:
		return fmt.Errorf("%s (give the reader's token in --token-file or HEADGATE_TOKEN)", said)
	case answer.Code == codes.Unimplemented:
		return fmt.Errorf("%s (what answers at %s does not offer this: check --address)", said, g.Address)
	}
	return errors.New(said)
}

// noGateway tells whether nothing that speaks for a gateway answered.
func noGateway(answer *client.Error) bool {
	return answer.Code == codes.Unavailable && answer.Reason == ""
}

// notConnected tells why there is no connection. What is wrong with one, grpc says in words only.
func (g *gateway) notConnected(words string) error {
	said := func(s string) bool { return strings.Contains(words, s) }
	switch {
	case said("looked like an HTTP/1.1 header"):
		return fmt.Errorf("what answers at %s speaks HTTP: set --address to the gateway's gRPC address, usually of port 9090 (%s)", g.Address, words)
	case said("first record does not look like a TLS handshake"):
		return fmt.Errorf("what answers at %s is not encrypted: leave --ca-file and --cert-file away, or set --plaintext (%s)", g.Address, words)
	case said("authentication handshake failed"), said("remote error: tls:"):
		return fmt.Errorf("no encrypted connection to %s: check --ca-file and --cert-file (%s)", g.Address, words)
	case said("error reading server preface"):
		return fmt.Errorf("what answers at %s does not speak gRPC, or only encrypted: check --address, or set --ca-file (%s)", g.Address, words)
	}
	return fmt.Errorf("no gateway at %s: start one with `go run ./server/cmd/headgated --dev` or set --address (%s)", g.Address, words)
}

// lastCause is an error in as few words as can be: of a connection that cannot be made, only what went wrong at last.
func lastCause(err error) string {
	answer, ok := errors.AsType[*client.Error](err)
	if !ok || !noGateway(answer) || !strings.Contains(answer.Message, "connection error: ") {
		return err.Error()
	}
	words := strings.TrimRight(answer.Message, `"`)
	return words[strings.LastIndex(words, ": ")+len(": "):]
}
