package server

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strconv"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/server/internal/rest"
)

// profiles are what the pprof listener serves, by path. Each has a rule in needs.
var profiles = map[string]http.Handler{
	pprofIndex:                  http.HandlerFunc(listProfiles),
	pprofIndex + "profile":      http.HandlerFunc(pprof.Profile),
	pprofIndex + "trace":        http.HandlerFunc(pprof.Trace),
	pprofIndex + "heap":         pprof.Handler("heap"),
	pprofIndex + "allocs":       pprof.Handler("allocs"),
	pprofIndex + "goroutine":    pprof.Handler("goroutine"),
	pprofIndex + "threadcreate": pprof.Handler("threadcreate"),
}

const pprofIndex = "/debug/pprof/"

// longestProfile is how long a profile may take. Its caller asks for a time, or gets net/http/pprof's: 30 s.
const longestProfile = 60 * time.Second

func listProfiles(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `one at a time, for at most 60 s:
profile?seconds=30    where CPU time goes
trace?seconds=1       what runs when
heap                  what memory is in use; heap?seconds=30 what was added meanwhile
allocs                all memory that was allocated since the start
goroutine?debug=1     what every goroutine does
threadcreate          what made threads of the system
`)
}

// newPProf is the server of the pprof listener.
func (s *Server) newPProf(quiet *log.Logger) *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(s.servePProf), ErrorLog: quiet, MaxHeaderBytes: 16 << 10,
		// No time limit for reading: it would cut off a profile. Nobody is asked for a body.
		ReadHeaderTimeout: 5 * time.Second, WriteTimeout: longestProfile + 15*time.Second, IdleTimeout: 2 * time.Minute,
	}
}

// servePProf makes a profile of the process for whoever may have one.
func (s *Server) servePProf(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	profile, known := profiles[r.URL.Path]
	if !known {
		http.Error(w, "there is no such profile; "+pprofIndex+" lists them", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "profiles are got", http.StatusMethodNotAllowed)
		return
	}
	done, code, err := s.mayProfile(r)
	if err != nil {
		if code == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		http.Error(w, err.Error(), code)
		return
	}
	defer done()
	if err := checkSeconds(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !s.profiling.TryLock() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "another profile is being made; one is at a time", http.StatusTooManyRequests)
		return
	}
	defer s.profiling.Unlock()
	profile.ServeHTTP(w, r)
}

// mayProfile says whether the request may have a profile: on loopback every program of this machine, elsewhere an operator. done must be called when it has it.
func (s *Server) mayProfile(r *http.Request) (done func(), code int, err error) {
	host, _, err := net.SplitHostPort(s.sockets[listenPProf].Addr().String())
	if err != nil {
		return nil, http.StatusInternalServerError, errors.New("the listener has no address")
	}
	if isOtherPage(r.Header) {
		return nil, http.StatusForbidden, errors.New("a page of another site sent this: use a program, like go tool pprof")
	}
	if !isLoopback(host) {
		done, err := s.guard.Admit(r)
		if err != nil {
			st := status.Convert(err)
			return nil, runtime.HTTPStatusFromCode(st.Code()), errors.New(st.Message())
		}
		return done, 0, nil
	}
	if !rest.IsLoopback(r.Host) {
		return nil, http.StatusForbidden, errors.New("the host is not a name of this machine: use localhost, 127.0.0.1 or [::1]")
	}
	return func() {}, 0, nil
}

// isOtherPage says whether a page of another site had a browser send the request.
func isOtherPage(h http.Header) bool {
	site := h.Get("Sec-Fetch-Site")
	return h.Get("Origin") != "" || !slices.Contains([]string{"", "none", "same-origin"}, site)
}

// checkSeconds refuses a time that is none, or longer than a profile may take.
func checkSeconds(r *http.Request) error {
	for _, text := range r.URL.Query()["seconds"] {
		if n, err := strconv.ParseUint(text, 10, 31); err != nil || n < 1 || n > uint64(longestProfile.Seconds()) {
			return errors.New("seconds must be a whole number from 1 to 60")
		}
	}
	return nil
}
