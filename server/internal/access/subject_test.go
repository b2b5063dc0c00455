package access

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

// TestSubjects: the names are those that openssl x509 -subject -nameopt RFC2253 prints, and no two subjects have the same.
func TestSubjects(t *testing.T) {
	at := func(value string, kind ...int) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: kind, Value: value}
	}
	cn := func(value string) pkix.AttributeTypeAndValue { return at(value, 2, 5, 4, 3) }
	org := at("Corp, Inc", 2, 5, 4, 10)
	dc := func(value string) pkix.AttributeTypeAndValue { return at(value, 0, 9, 2342, 19200300, 100, 1, 25) }
	for want, subject := range map[string]pkix.RDNSequence{
		"":                                   {},
		`CN=billing,O=Corp\, Inc`:            {{org}, {cn("billing")}},
		`O=Corp\, Inc,CN=billing`:            {{cn("billing")}, {org}},
		`CN=billing,O=Corp\, Inc,CN=mallory`: {{cn("mallory")}, {org}, {cn("billing")}},
		"CN=billing,DC=corp,DC=no":           {{dc("no")}, {dc("corp")}, {cn("billing")}},
		`emailAddress=a\+b@corp.no,CN=a`:     {{cn("a")}, {at("a+b@corp.no", 1, 2, 840, 113549, 1, 9, 1)}},
		"UID=7,1.2.3=#130178":                {{at("x", 1, 2, 3)}, {at("7", 0, 9, 2342, 19200300, 100, 1, 1)}},
	} {
		raw, err := asn1.Marshal(subject)
		if err != nil {
			t.Fatal(err)
		}
		if got := subjectOf(&x509.Certificate{RawSubject: raw}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	raw, err := asn1.Marshal(pkix.RDNSequence{{cn("a"), org}})
	if err != nil {
		t.Fatal(err)
	}
	if got := subjectOf(&x509.Certificate{RawSubject: raw}); got != `CN=a+O=Corp\, Inc` && got != `O=Corp\, Inc+CN=a` {
		t.Errorf("got %q", got)
	}
	if got := subjectOf(&x509.Certificate{RawSubject: []byte("x")}); got != "" {
		t.Errorf("got %q", got)
	}
}
