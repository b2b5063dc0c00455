package main

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
)

var versions = regexp.MustCompile(`(?m)^(version|appVersion): .*$`)

// writeChart packs the Helm chart, of the version of the binaries that it runs.
func writeChart(out, from string, b *build) error {
	all := files{}
	if err := all.add("headgate", from); err != nil {
		return err
	}
	about := all["headgate/Chart.yaml"]
	if n := len(versions.FindAll(about.data, -1)); n != 2 {
		return fmt.Errorf("Chart.yaml has %d lines with a version, want version and appVersion", n)
	}
	number := strings.TrimPrefix(b.version, "v")
	about.data = versions.ReplaceAllFunc(about.data, func(line []byte) []byte {
		if strings.HasPrefix(string(line), "appVersion") {
			return fmt.Appendf(nil, "appVersion: %q", b.tag())
		}
		return fmt.Appendf(nil, "version: %q", number)
	})
	all["headgate/Chart.yaml"] = about
	return write(filepath.Join(out, "headgate-chart-"+number+".tgz"), func(w io.Writer) error { return all.targz(w, b.at) })
}
