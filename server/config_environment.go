package server

import (
	"regexp"
	"slices"
	"strings"
)

const variablePrefix = "HEADGATE_"

// ofClient are the variables of the command headgate, which often runs in the same shell.
var ofClient = []string{"ADDRESS", "CA_FILE", "CERT_FILE", "KEY_FILE", "PLAINTEXT", "SECRET", "SECRET_FILE", "TOKEN", "TOKEN_FILE", "URL"}

// ofCluster are those that Kubernetes sets for services whose names begin with headgate.
var ofCluster = regexp.MustCompile(`_SERVICE_HOST=|_SERVICE_PORT(_[A-Z0-9_]+)?=|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?=((tcp|udp|sctp)(://|$)|[\d.:a-f]+$)`)

// CheckVariables refuses every variable that begins with HEADGATE_ and that nobody asked for: a slip in its name would leave what it should set as it
// was. environ is as os.Environ returns it; asked are the variables that were looked up when the configuration was loaded. Empty ones count as not
// set. Whoever reloads should not check again: a process cannot change its variables when its file no longer names one. The error is Problems.
func CheckVariables(environ []string, asked map[string]bool) error {
	var known []string
	for name := range asked {
		known = append(known, strings.ToLower(name))
	}
	slices.Sort(known)
	var ps Problems
	for _, variable := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(variable, "=")
		rest, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || value == "" || asked[name] || slices.Contains(ofClient, rest) || ofCluster.MatchString(variable) {
			continue
		}
		text := "no setting has this variable; write the setting's path in capitals, as HEADGATE_LISTEN_GRPC for listen.grpc, or call it otherwise"
		if near := nearest(name, known); near != "" {
			text = "no setting has this variable; did you mean " + strings.ToUpper(near) + "?"
		}
		ps = append(ps, Problem{Origin: name, Text: text})
	}
	return ps.err()
}
