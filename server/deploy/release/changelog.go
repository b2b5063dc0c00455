package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

const changelog = ".github/CHANGELOG.md"

// ofTag is a version that somebody chose. Those of other commits hold a time and the commit.
var (
	ofTag    = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)
	ofCommit = regexp.MustCompile(`[.-]\d{14}-[0-9a-f]{12}(\+|$)`)
)

// hasEntry refuses a tag that the changelog does not tell of, with its date.
func hasEntry(path, version string) error {
	if !ofTag.MatchString(version) || ofCommit.MatchString(version) {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	number := strings.TrimPrefix(version, "v")
	if !regexp.MustCompile(`(?m)^## \[` + regexp.QuoteMeta(number) + `\] - \d{4}-\d{2}-\d{2}$`).Match(text) {
		return fmt.Errorf("%s says nothing of %s; give what is under Unreleased the heading ## [%s] - and the date, and move the tag", changelog, version, number)
	}
	return nil
}
