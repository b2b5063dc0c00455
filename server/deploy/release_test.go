package deploy_test

import (
	"archive/zip"
	"debug/buildinfo"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// TestArchive: what is in it runs, says its version, needs no library, and holds no path of the machine that built it.
func TestArchive(t *testing.T) {
	dir := unpacked(t)
	for _, name := range []string{"headgated", "headgate"} {
		path := filepath.Join(dir, name)
		if got := command(t, dir, path, "--version"); got != name+" "+tag+"\n" {
			t.Errorf("%s says %q", name, got)
		}
		binary, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if libraries, err := binary.ImportedLibraries(); err == nil && len(libraries) > 0 || binary.Section(".interp") != nil {
			t.Errorf("%s needs %v", name, libraries)
		}
		_ = binary.Close()
		if strings.Contains(read(t, path), scratch) {
			t.Errorf("%s holds the path that it was built at", name)
		}
		info, err := buildinfo.ReadFile(path)
		if err != nil || info.Main.Version != tag {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, name := range []string{"README.md", "CHANGELOG.md", "SECURITY.md", "install.md", "systemd/headgated.service", "compose/compose.yaml"} {
		if read(t, filepath.Join(dir, name)) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	if notices := read(t, filepath.Join(dir, "LICENCES.txt")); !strings.Contains(notices, "cockroachdb/pebble/v2 v2") || !strings.Contains(notices, "Redistributions in binary form") {
		t.Error("LICENCES.txt does not pass the licences on")
	}
}

func TestWindowsArchive(t *testing.T) {
	if !*full {
		t.Skip("it builds for another platform; -full does")
	}
	name := "headgate_" + tag + "_windows_" + runtime.GOARCH
	z, err := zip.OpenReader(filepath.Join(released(t), name+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, want := range []string{"headgated.exe", "headgate.exe"} {
		f, err := z.Open(name + "/" + want)
		if err != nil {
			t.Fatal(err)
		}
		start := make([]byte, 2)
		if _, err := io.ReadFull(f, start); err != nil || string(start) != "MZ" {
			t.Errorf("%s begins with %q, %v", want, start, err)
		}
		_ = f.Close()
	}
}

// TestChecksums: every file of a release stands in SHA256SUMS, as sha256sum has it.
func TestChecksums(t *testing.T) {
	dir := released(t)
	command(t, dir, "sha256sum", "--check", "--strict", "SHA256SUMS")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(read(t, filepath.Join(dir, "SHA256SUMS")), "\n"); n != len(files)-1 {
		t.Errorf("%d sums of %d files", n, len(files)-1)
	}
	want := 4 // an archive, its bill of materials, the image, the chart
	if *full {
		want = 14
	}
	if len(files)-1 != want {
		t.Errorf("%d files, want %d", len(files)-1, want)
	}
}

// TestBillOfMaterials: it names what the go command stamped into the binaries, each with its checksum and licence.
func TestBillOfMaterials(t *testing.T) {
	f, err := os.Open(filepath.Join(released(t), "headgate_"+tag+"_linux_"+runtime.GOARCH+".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(f, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if own := bom.Metadata.Component; own.Version != tag || own.PackageURL != "pkg:golang/github.com/headgate/headgate@"+tag {
		t.Errorf("it is of %s, %s", own.Version, own.PackageURL)
	}
	dir := unpacked(t)
	for _, name := range []string{"headgated", "headgate"} {
		info, err := buildinfo.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range info.Deps {
			i := slices.IndexFunc(*bom.Components, func(c cdx.Component) bool { return c.Name == m.Path && c.Version == m.Version })
			if i < 0 {
				t.Errorf("%s %s is not in it", m.Path, m.Version)
			}
		}
	}
	for _, c := range *bom.Components {
		if c.Licenses == nil || len(*c.Licenses) == 0 || c.Hashes == nil && c.Name != "std" {
			t.Errorf("%s has no licence or no checksum", c.Name)
		}
	}
}

// TestReproducible: the same commit gives the same bytes, in another folder and built from nothing.
func TestReproducible(t *testing.T) {
	if !*full {
		t.Skip("it builds everything again; -full does")
	}
	first := released(t)
	second, err := release(filepath.Join(scratch, "another", "place"), "GOCACHE="+filepath.Join(scratch, "cache"), "TZ=Asia/Tokyo", "LC_ALL=C")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, filepath.Join(first, "SHA256SUMS")), read(t, filepath.Join(second, "SHA256SUMS")); a != b {
		t.Errorf("first\n%ssecond\n%s", a, b)
	}
}
