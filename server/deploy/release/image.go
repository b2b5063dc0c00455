package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// imageUser is whom the image runs as: nobody who is on any machine.
const imageUser = 65532

// writeImage writes the image of all Linux builds, as a tar of an OCI layout: what skopeo, podman and docker load take, without a registry.
func writeImage(out string, builds []*build) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var any *build
	for _, b := range builds {
		if b.os != "linux" {
			continue
		}
		image, err := b.image()
		if err != nil {
			return err
		}
		any, index = b, mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: b.os, Architecture: b.arch}},
		})
	}
	if any == nil {
		return nil
	}
	index = mutate.Annotations(index, any.labels()).(v1.ImageIndex)
	dir := filepath.Join(out, ".build", "image")
	at, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	named := layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": any.tag(), "io.containerd.image.name": "docker.io/library/headgate:" + any.tag(),
	})
	if err := at.AppendIndex(index, named); err != nil {
		return err
	}
	all := files{}
	if err := all.add("", dir); err != nil {
		return err
	}
	return write(filepath.Join(out, "headgate_"+any.version+"_image.tar"), func(w io.Writer) error { return all.tar(w, any.at) })
}

// image is a platform's: the binaries, what names its user, the authorities of the web's certificates, and nothing else.
func (b *build) image() (v1.Image, error) {
	root, err := b.root()
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	if err := root.tar(&packed, b.at); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{
		Created: v1.Time{Time: b.at}, CreatedBy: "server/deploy/release", Comment: b.revision,
	}})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = b.os, b.arch, v1.Time{Time: b.at}
	config.Config = v1.Config{
		User: fmt.Sprintf("%d:%d", imageUser, imageUser), WorkingDir: "/var/lib/headgate",
		Entrypoint: []string{"/usr/local/bin/headgated"}, Cmd: []string{"--config", "/etc/headgate/headgate.yaml"},
		Env:          []string{"PATH=/usr/local/bin"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8081/tcp": {}, "9090/tcp": {}, "9100/tcp": {}},
		Volumes:      map[string]struct{}{"/var/lib/headgate": {}}, Labels: b.labels(), StopSignal: "SIGTERM",
	}
	return mutate.ConfigFile(image, config)
}

func (b *build) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "headgate",
		"org.opencontainers.image.description": "Takes the webhooks of SuperOffice CRM and serves them as filtered, resumable streams of events",
		"org.opencontainers.image.source":      "https://" + ownModule,
		"org.opencontainers.image.version":     b.version,
		"org.opencontainers.image.revision":    b.revision,
		"org.opencontainers.image.created":     b.at.UTC().Format("2006-01-02T15:04:05Z"),
	}
}

// root is what is in the image.
func (b *build) root() (files, error) {
	bill, err := b.bill()
	if err != nil {
		return nil, err
	}
	user := fmt.Sprintf("headgate:x:%d:", imageUser)
	root := files{
		"etc/passwd":                           {mode: 0o644, data: fmt.Appendf(nil, "%s%d:headgate:/var/lib/headgate:/sbin/nologin\n", user, imageUser)},
		"etc/group":                            {mode: 0o644, data: []byte(user + "\n")},
		"etc/ssl/certs/ca-certificates.crt":    {mode: 0o644, data: authorities()},
		"usr/share/headgate/headgate.cdx.json": {mode: 0o644, data: bill},
		"usr/share/headgate/LICENCES.txt":      {mode: 0o644, data: b.notices()},
		"var/lib/headgate":                     {mode: fs.ModeDir | 0o700, user: imageUser},
	}
	for _, dir := range strings.Fields("etc etc/headgate etc/ssl etc/ssl/certs usr usr/local usr/local/bin usr/share usr/share/headgate var var/lib") {
		root[dir] = file{mode: fs.ModeDir | 0o755}
	}
	for name, from := range b.binaries {
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		root["usr/local/bin/"+name] = file{mode: 0o755, data: data}
	}
	return root, nil
}

// authorities are those that browsers trust, for keys of JSON web tokens. Those that are trusted with a condition are left out: the file cannot say it.
func authorities() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return out.Bytes()
}
