package feed

import (
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Protobuf passes over fields that it does not know. In a request that would be a field of a filter, ignored, and a stream wider than was asked for.

// Strict returns the stream as one that refuses requests with unknown fields.
func Strict(ss grpc.ServerStream) grpc.ServerStream { return strictStream{ss} }

type strictStream struct{ grpc.ServerStream }

func (s strictStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return refuseUnknown(m)
}

func refuseUnknown(req any) error {
	if m, ok := req.(proto.Message); ok && hasUnknown(m.ProtoReflect()) {
		return invalid("request", "it has a field that this server does not know; the client is newer than the server, or the field is misspelt")
	}
	return nil
}

func hasUnknown(m protoreflect.Message) (found bool) {
	if len(m.GetUnknown()) > 0 {
		return true
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil || fd.IsMap():
		case fd.IsList():
			for i := range v.List().Len() {
				found = found || hasUnknown(v.List().Get(i).Message())
			}
		default:
			found = hasUnknown(v.Message())
		}
		return !found
	})
	return found
}
