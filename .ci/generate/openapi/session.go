package main

import "github.com/getkin/kin-openapi/openapi3"

// session describes the two routes that have no gRPC method, and so no comment in proto/: the browsers' way to identify themselves. server/internal/rest has them.
func session(doc *openapi3.T) {
	const tag, status = "Session", "google.rpc.Status"
	doc.Tags = append(doc.Tags, &openapi3.Tag{
		Name: tag,
		Description: "For browsers, whose EventSource cannot send an Authorization header. A request with the cookie and without that header is taken as if it bore the " +
			"token, for 12 hours from the login or until the gateway restarts. Pages of another origin are refused.",
	})
	failed := &openapi3.Response{
		Description: new("An error. 400: the token is too long for a cookie. 401: there is no token, or it is of no reader."),
		Content:     openapi3.NewContentWithJSONSchemaRef(openapi3.NewSchemaRef("#/components/schemas/"+status, doc.Components.Schemas[status].Value)),
	}
	operation := func(id, summary, done, cookie string) *openapi3.Operation {
		header := &openapi3.Header{Parameter: openapi3.Parameter{Description: cookie, Schema: openapi3.NewStringSchema().NewRef()}}
		return &openapi3.Operation{
			OperationID: id, Summary: summary, Tags: []string{tag},
			Responses: openapi3.NewResponses(
				openapi3.WithStatus(204, &openapi3.ResponseRef{Value: &openapi3.Response{Description: &done, Headers: openapi3.Headers{"Set-Cookie": {Value: header}}}}),
				openapi3.WithName("default", failed)),
		}
	}
	logIn := operation("Session_LogIn", "Trades the token of the Authorization header for a cookie that scripts cannot read.", "Logged in.", "__Host-headgate_session, or headgate_session without TLS; sent to this origin only.")
	logIn.Security = &openapi3.SecurityRequirements{{"token": {}}}
	logOut := operation("Session_LogOut", "Takes the cookie back. A copy of it can be used until it ends.", "Logged out, as is whoever was not logged in.", "The cookie, ended.")
	logOut.Security = &openapi3.SecurityRequirements{}
	doc.Paths.Set("/v1/session", &openapi3.PathItem{Post: logIn, Delete: logOut})
}
