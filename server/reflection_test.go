package server_test

import (
	"testing"

	"google.golang.org/grpc"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// checkReflected calls the gateway as a stranger does who has nothing but its address: descriptors by reflection, messages by name.
func checkReflected(t *testing.T, g *gateway, want []*headgatev1.Event) {
	t.Helper()
	files := reflected(t, g, "headgate.v1.EventService")
	d, err := files.FindDescriptorByName("headgate.v1.EventService.ListEvents")
	if err != nil {
		t.Fatal(err)
	}
	method := d.(protoreflect.MethodDescriptor)
	req, resp := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	if err := protojson.Unmarshal([]byte(`{"filter":{"entities":["relation"]}}`), req); err != nil {
		t.Fatal(err)
	}
	if err := g.conn.Invoke(t.Context(), "/headgate.v1.EventService/ListEvents", req, resp); err != nil {
		t.Fatal(err)
	}
	relations := 0
	for _, e := range want {
		if e.GetRelation() != nil {
			relations++
		}
	}
	if got := resp.Get(method.Output().Fields().ByName("events")).List().Len(); got != relations || relations == 0 {
		t.Errorf("by reflection: %d relation events, want %d", got, relations)
	}
}

// reflected fetches the files that declare the symbol, with all they import.
func reflected(t *testing.T, g *gateway, symbol string) interface {
	FindDescriptorByName(protoreflect.FullName) (protoreflect.Descriptor, error)
} {
	t.Helper()
	stream, err := reflectionv1.NewServerReflectionClient(g.conn).ServerReflectionInfo(t.Context(), grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.CloseSend()
	err = stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, raw := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		f := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(raw, f); err != nil {
			t.Fatal(err)
		}
		set.File = append(set.File, f)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
