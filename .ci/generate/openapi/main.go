// Command openapi turns what protoc-gen-openapiv2 answers, OpenAPI v2, into OpenAPI v3, which is what today's generators of clients read. It is the second
// half of a protoc plugin: from standard input to standard output. v2 describes streams right, grpc-gateway's own v3 does not.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run() error {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	answer := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(in, answer); err != nil {
		return err
	}
	for _, file := range answer.GetFile() {
		content, err := convert([]byte(file.GetContent()))
		if err != nil {
			return fmt.Errorf("%s: %w", file.GetName(), err)
		}
		file.Name = new(strings.TrimSuffix(file.GetName(), ".swagger.json") + ".openapi.json")
		file.Content = new(string(content))
	}
	out, err := proto.Marshal(answer)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(out)
	return err
}

func convert(v2 []byte) ([]byte, error) {
	var old openapi2.T
	if err := json.Unmarshal(v2, &old); err != nil {
		return nil, err
	}
	doc, err := openapi2conv.ToV3(&old)
	if err != nil {
		return nil, err
	}
	doc.Info = &openapi3.Info{
		Title: "Headgate", Version: "v1",
		Description: "The events of SuperOffice CRM, filtered and resumable. The same as over gRPC: proto/headgate/v1 is the contract.",
	}
	secure(doc)
	session(doc)
	for _, path := range doc.Paths.Map() {
		for _, op := range path.Operations() {
			if strings.HasPrefix(op.OperationID, "EventService_Subscribe") {
				stream(op)
			}
		}
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	return json.MarshalIndent(doc, "", "  ")
}

// secure says how callers identify themselves. A gateway without readers asks nobody.
func secure(doc *openapi3.T) {
	if doc.Components == nil {
		doc.Components = new(openapi3.Components)
	}
	doc.Components.SecuritySchemes = openapi3.SecuritySchemes{
		"token":   {Value: openapi3.NewSecurityScheme().WithType("http").WithScheme("bearer").WithDescription("A reader's token, or a JSON web token.")},
		"session": {Value: openapi3.NewSecurityScheme().WithType("apiKey").WithIn("cookie").WithName("__Host-headgate_session").WithDescription("Browsers: POST /v1/session trades a token for it. Without TLS it is called headgate_session.")},
	}
	doc.Security = openapi3.SecurityRequirements{{"token": {}}, {"session": {}}, {}}
}

// stream describes the two forms of an answer without end.
func stream(op *openapi3.Operation) {
	response := op.Responses.Status(200).Value
	lines := response.Content.Get("application/json")
	description := "A stream. As JSON lines: one object a line. As Server-Sent Events: with \"Accept: text/event-stream\"."
	response.Description = &description
	response.Content = openapi3.Content{
		"application/x-ndjson": lines,
		"text/event-stream":    openapi3.NewMediaType().WithSchema(openapi3.NewStringSchema()),
	}
}
