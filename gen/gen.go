// Package gen embeds what is generated and is not Go. It is the one file here that is written by hand: go:embed cannot reach out of its
// package's folder, and buf empties the folders below this one before it writes them.
package gen

import _ "embed"

// OpenAPI is the OpenAPI v3 description of the REST API.
//
//go:embed openapi/headgate.openapi.json
var OpenAPI []byte
