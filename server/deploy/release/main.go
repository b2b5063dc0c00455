// Command release builds what a release is made of into a folder: archives of both binaries for every platform, each with its software bill of materials, a
// container image, the Helm chart, and the checksums of all of it. The same commit, built with the same Go, gives the same bytes wherever it is built. It
// publishes nothing.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"
)

// flags is the command line.
type flags struct {
	Out     string   `arg:"" help:"The folder to write to. It is made, or is empty."`
	Source  string   `default:"../.." type:"existingdir" help:"The repository, a git clone, whose commit is built; with its tags, which make the version."`
	Targets []target `default:"linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64" help:"The platforms; those of Linux are also the image's. Default: ${default}."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("release"), kong.UsageOnError())
	if err := f.run(); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run makes everything, and its checksums last.
func (f *flags) run() error {
	if left, err := os.ReadDir(f.Out); err == nil && len(left) > 0 {
		return fmt.Errorf("%s is not empty; name a folder for this release alone", f.Out)
	}
	var builds []*build
	for _, t := range f.Targets {
		b, err := compile(f.Source, t, filepath.Join(f.Out, ".build", t.name()))
		if err != nil {
			return err
		}
		builds = append(builds, b)
	}
	if err := hasEntry(filepath.Join(f.Source, changelog), builds[0].version); err != nil {
		return err
	}
	for _, b := range builds {
		if err := f.archive(b); err != nil {
			return fmt.Errorf("archive for %s: %w", b.target, err)
		}
	}
	if err := writeImage(f.Out, builds); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	if err := writeChart(f.Out, filepath.Join(f.Source, "server/deploy/helm/headgate"), builds[0]); err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(f.Out, ".build")); err != nil {
		return err
	}
	return writeSums(f.Out)
}
