package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const ownModule = "github.com/headgate/headgate"

// bill is the software bill of materials of a platform's binaries, in CycloneDX: of what they are made, as the go command stamped it into them.
func (b *build) bill() ([]byte, error) {
	bom := cdx.NewBOM()
	own := component(ownModule, b.version)
	own.Type, own.Name = cdx.ComponentTypeApplication, "headgate"
	bom.Metadata = &cdx.Metadata{Timestamp: b.at.UTC().Format(time.RFC3339), Component: &own}
	var components []cdx.Component
	var refs []string
	for _, m := range b.modules {
		c := component(m.path, m.version)
		if m.sum != "" {
			sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.sum, "h1:"))
			if err != nil {
				return nil, fmt.Errorf("sum of %s: %w", m.path, err)
			}
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
		}
		licences := cdx.Licenses{}
		for _, id := range m.licences {
			licences = append(licences, cdx.LicenseChoice{License: &cdx.License{ID: id}})
		}
		c.Licenses = &licences
		components, refs = append(components, c), append(refs, c.BOMRef)
	}
	bom.Components, bom.Dependencies = &components, &[]cdx.Dependency{{Ref: own.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	return out.Bytes(), err
}

func component(path, version string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl}
}
