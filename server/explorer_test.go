package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// explorer calls the gateway as a stranger does who has nothing but its address and perhaps a token: descriptors by reflection, messages by name. What is
// generated it does not use.
type explorer struct {
	t      *testing.T
	conn   *grpc.ClientConn
	ctx    context.Context
	method string // of reflection: v1 and v1alpha have the same messages under two names
	files  *protoregistry.Files
}

func (g *gateway) explore(version, token string) *explorer {
	e := &explorer{t: g.t.(*testing.T), conn: g.conn, ctx: g.t.Context(), method: "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo"}
	if token != "" {
		e.ctx = metadata.AppendToOutgoingContext(e.ctx, "authorization", "Bearer "+token)
	}
	return e
}

// ask asks one question on a stream of its own.
func (e *explorer) ask(question *reflectionv1.ServerReflectionRequest) (*reflectionv1.ServerReflectionResponse, error) {
	e.t.Helper()
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	stream, err := e.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, e.method)
	if err == nil {
		err = stream.SendMsg(question)
	}
	if err != nil && err != io.EOF { // then RecvMsg says more
		return nil, err
	}
	answer := new(reflectionv1.ServerReflectionResponse)
	if err := stream.RecvMsg(answer); err != nil {
		return nil, err
	}
	if refused := answer.GetErrorResponse(); refused != nil {
		return nil, fmt.Errorf("code %d: %s", refused.GetErrorCode(), refused.GetErrorMessage())
	}
	return answer, nil
}

// list is what `grpcurl list` shows.
func (e *explorer) list() ([]string, error) {
	answer, err := e.ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
	var names []string
	for _, s := range answer.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	return names, err
}

// describe finds what `grpcurl describe` shows, with everything that it refers to.
func (e *explorer) describe(symbol string) protoreflect.Descriptor {
	e.t.Helper()
	answer, err := e.ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol}})
	if err != nil {
		e.t.Fatalf("describe %s: %v", symbol, err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, raw := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		f := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(raw, f); err != nil {
			e.t.Fatal(err)
		}
		set.File = append(set.File, f)
	}
	// It fails when a file refers to one that was not sent.
	if e.files, err = protodesc.NewFiles(set); err != nil {
		e.t.Fatalf("describe %s: %v", symbol, err)
	}
	d, err := e.files.FindDescriptorByName(protoreflect.FullName(symbol))
	if err != nil {
		e.t.Fatal(err)
	}
	return d
}

// call makes a request of JSON, of a method that is described, and returns all answers and how it ended.
func (e *explorer) call(service, method, body string) ([]protoreflect.Message, error) {
	e.t.Helper()
	d := e.describe(service).(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(method))
	if d == nil {
		e.t.Fatalf("%s has no method %s", service, method)
	}
	req := dynamicpb.NewMessage(d.Input())
	if err := (protojson.UnmarshalOptions{Resolver: dynamicpb.NewTypes(e.files)}).Unmarshal([]byte(body), req); err != nil {
		e.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	stream, err := e.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, fmt.Sprintf("/%s/%s", service, method))
	if err == nil {
		err = errors.Join(stream.SendMsg(req), stream.CloseSend())
	}
	if err != nil {
		e.t.Fatal(err)
	}
	var answers []protoreflect.Message
	for {
		answer := dynamicpb.NewMessage(d.Output())
		switch err := stream.RecvMsg(answer); err {
		case nil:
			answers = append(answers, answer)
		case io.EOF:
			return answers, nil
		default:
			return answers, err
		}
	}
}

// detail is a field of the error's detail of that name, which reflection describes too.
func (e *explorer) detail(err error, name, field string) string {
	e.t.Helper()
	message := e.describe(name).(protoreflect.MessageDescriptor)
	for _, d := range status.Convert(err).Proto().GetDetails() {
		if d.MessageName() != message.FullName() {
			continue
		}
		m := dynamicpb.NewMessage(message)
		if err := proto.Unmarshal(d.GetValue(), m); err != nil {
			e.t.Fatal(err)
		}
		return m.Get(message.Fields().ByName(protoreflect.Name(field))).String()
	}
	return ""
}
