package rest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/types/known/emptypb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const (
	sessionPath   = "/v1/session"
	sessionCookie = "headgate_session" // see cookieName
	sessionLife   = 12 * time.Hour
	// maxToken is how long a token may be: browsers drop a cookie of more than 4096 bytes and tell nobody.
	maxToken = 2900
)

// logIn answers with a cookie that bears the token of the request's Authorization, if the gRPC server takes that token.
func (a *api) logIn(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	token, err := a.verify(r)
	if err != nil {
		writeError(w, err)
		return
	}
	setSession(w, r, a.seal.close(token, time.Now().Add(sessionLife)), int(sessionLife/time.Second))
	w.WriteHeader(http.StatusNoContent)
}

// verify returns the token that came in the Authorization header. A cookie does not count: it would prolong itself for ever.
func (a *api) verify(r *http.Request) (string, error) {
	given := r.Header.Values("Authorization")
	if len(given) != 1 || inputOf(r.Context()).byCookie {
		return "", a.refused(r, unauthenticated(`send the token that the session is for in one header "Authorization: Bearer <token>"`))
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", a.refused(r, unauthenticated(`the authorization is not a bearer token: send "Bearer " and the token`))
	}
	if len(token) > maxToken {
		return "", invalid("", fmt.Sprintf("the token has %d bytes, and browsers keep no cookie with more than %d: use a shorter one", len(token), maxToken))
	}
	// A client certificate beside the token must not vouch for it.
	alone := r.WithContext(r.Context())
	alone.TLS = nil
	ctx, err := runtime.AnnotateContext(r.Context(), a.mux, alone, headgatev1.EventService_DescribeLog_FullMethodName)
	if err != nil {
		return "", err
	}
	// conn refuses what stands in the request besides.
	_, err = a.events.DescribeLog(ctx, &headgatev1.DescribeLogRequest{})
	return token, err
}

// logOut takes the cookie back. Whoever copied it can still use it until it ends.
func (a *api) logOut(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	if err := fill(inputOf(r.Context()), &emptypb.Empty{}); err != nil {
		writeError(w, err)
		return
	}
	clearSession(w, r)
	w.WriteHeader(http.StatusNoContent)
}

// bySession returns the token that a cookie of the request bears, empty if none does.
func (a *api) bySession(w http.ResponseWriter, r *http.Request) string {
	cookies := r.CookiesNamed(cookieName(r))
	for _, c := range cookies {
		if token, ok := a.seal.open(c.Value, time.Now()); ok {
			return token
		}
	}
	if len(cookies) > 0 {
		clearSession(w, r)
	}
	return ""
}

// cookieName is what the cookie is called in the answer to r, and those after it. Over TLS browsers take one of that name from this origin alone: a session that another host of
// the domain planted would have its owner see what is done in it.
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

func clearSession(w http.ResponseWriter, r *http.Request) { setSession(w, r, "", -1) }

func setSession(w http.ResponseWriter, r *http.Request, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: value, MaxAge: seconds,
		Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
}

// seal hides tokens in cookies. Its key lives as long as the process: after a restart everybody logs in anew, and nothing that opens a cookie is
// ever stored.
type seal struct{ aead cipher.AEAD }

func newSeal() (seal, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return seal{}, fmt.Errorf("make the sessions' key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return seal{}, fmt.Errorf("make the sessions' key: %w", err)
	}
	return seal{aead}, nil
}

// close returns the token and its end in a form that only open reads.
func (s seal) close(token string, end time.Time) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(end.Unix()))
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, append(plain, token...), nil))
}

// open returns the token, and false for a text that close did not make or that has ended.
func (s seal) open(text string, now time.Time) (token string, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", false
	}
	plain, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil || uint64(now.Unix()) >= binary.BigEndian.Uint64(plain) {
		return "", false
	}
	return string(plain[8:]), true
}
