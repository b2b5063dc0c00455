// Package conformance is the conformance kit: what every client of a gateway must show, whatever its language, and the test that looks. README.md says how it
// works and what an adapter is.
package conformance
