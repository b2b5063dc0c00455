package access

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
)

// commonName is a type whose name the library knows.
var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// moreTypes are types that the library knows by number only, though directories use them every day.
var moreTypes = map[string]string{"0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID", "1.2.840.113549.1.9.1": "emailAddress"}

// subjectOf is the subject as RFC 2253 writes it, whole and in its order. The library's own Subject keeps only the last of several values of a type, so that
// two subjects would be one.
func subjectOf(c *x509.Certificate) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(c.RawSubject, &name); err != nil || len(rest) > 0 {
		return ""
	}
	var parts []string
	for i := len(name) - 1; i >= 0; i-- {
		var values []string
		for _, v := range name[i] {
			values = append(values, valueOf(v))
		}
		parts = append(parts, strings.Join(values, "+"))
	}
	return strings.Join(parts, ",")
}

func valueOf(v pkix.AttributeTypeAndValue) string {
	known, text := moreTypes[v.Type.String()], pkix.RDNSequence{{v}}
	if _, is := v.Value.(string); known == "" || !is {
		return text.String()
	}
	text[0][0].Type = commonName
	return known + strings.TrimPrefix(text.String(), "CN")
}
