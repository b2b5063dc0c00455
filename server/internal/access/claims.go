package access

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// claims are what a token says, by the exact names. Whoever has a part in what stands in a token, perhaps a name of his own choice, must not say a second
// time, in another case, what its issuer has said.
type claims map[string]any

// verifiedByOIDC are the claims that the verifier looks at as well. It knows no case of letters.
var verifiedByOIDC = []string{"iss", "sub", "aud", "exp", "nbf"}

// claimsOf reads the payload of a token. It is nil, so that nothing holds of it, when the payload says something twice or is no object of JSON.
func claimsOf(payload []byte) claims {
	var said claims
	if json.Unmarshal(payload, &said) != nil || said.ambiguous(verifiedByOIDC) {
		return nil
	}
	return said
}

// ambiguous says whether there is a claim that differs from one of the names in nothing but case.
func (c claims) ambiguous(names []string) bool {
	for name := range c {
		if slices.ContainsFunc(names, func(known string) bool { return name != known && strings.EqualFold(name, known) }) {
			return true
		}
	}
	return false
}

// has says whether the claim is the value, or a list that has it.
func (c claims) has(name, value string) bool {
	switch said := c[name].(type) {
	case string:
		return said == value
	case []any:
		return slices.Contains(said, any(value))
	}
	return false
}
