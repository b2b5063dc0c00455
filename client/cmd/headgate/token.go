package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

type tokenCommand struct {
	New tokenNewCommand `cmd:"" help:"Make a bearer token for a reader, and the line that configures it."`
}

type tokenNewCommand struct{}

// Run prints the token once; only its hash is configured, and the token cannot be had from it again.
func (c *tokenNewCommand) Run(std *stdio) error {
	token := "hg_" + randomText()
	hash := sha256.Sum256([]byte(token))
	_, err := fmt.Fprintf(std.out, `token, for the reader alone (HEADGATE_TOKEN, or a file for --token-file):

  %s

for the gateway's configuration; while rotating, beside the one before:

  readers:
    NAME:
      tokens: ["sha256:%s"]
      allow: [{sources: ["*"], entities: [relation]}]
`, token, hex.EncodeToString(hash[:]))
	return err
}

// randomText is 256 random bits in letters, digits, - and _.
func randomText() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
