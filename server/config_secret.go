package server

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// SecretKey is the UTF-8 bytes of a secret. However it is printed, it shows only that there is one.
type SecretKey []byte

const redacted = "[redacted]"

// holds reports whether the secret is valid at the moment.
func (s Secret) holds(at time.Time) bool {
	return (s.NotBefore.IsZero() || !at.Before(s.NotBefore)) && (s.NotAfter.IsZero() || at.Before(s.NotAfter))
}

// minSecretBytes is the length below which a secret is refused: a shorter one can be guessed.
const minSecretBytes = 16

// maxSecretBytes bounds what is read of a secret's file.
const maxSecretBytes = 4 * kib

// String returns "[redacted]".
func (SecretKey) String() string { return redacted }

// Format prints "[redacted]" whatever the verb: %x and %d would show the bytes else.
func (SecretKey) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText returns "[redacted]", for JSON and YAML.
func (SecretKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (SecretKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// checkSecret says what is wrong with a secret, nil when nothing is. It never repeats the secret.
func checkSecret(key SecretKey) error {
	switch {
	case len(key) == 0:
		return errors.New("the secret is empty; put in it the secret that the webhook was registered with")
	case len(key) < minSecretBytes:
		return fmt.Errorf("the secret is too short; register the webhook with a secret of at least %d bytes, better 32 random ones", minSecretBytes)
	case !utf8.Valid(key), strings.HasPrefix(string(key), "\ufeff"), strings.ContainsFunc(string(key), unicode.IsControl):
		return errors.New("the secret is not one line of text; save it as UTF-8, without byte order mark and line breaks")
	}
	return nil
}

// trimNewline removes the one line break that editors and echo leave at the end.
func trimNewline(data []byte) SecretKey {
	text, _ := strings.CutSuffix(string(data), "\n")
	text, _ = strings.CutSuffix(text, "\r")
	return SecretKey(text)
}
