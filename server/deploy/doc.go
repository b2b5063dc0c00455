// Package deploy is how Headgate gets to where it runs: what makes a release, the units of systemd, a compose file, a Helm chart, and tests of all of these with
// the tools that read them. It is a module of its own, so that those tools burden nobody else.
package deploy
