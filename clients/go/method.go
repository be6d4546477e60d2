package chatbridge

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// method is what the contract says of an RPC. Of one that is not in the contract nothing is assumed.
type method struct {
	// Whether it may be made again where nobody knows what became of it.
	repeatable bool
	// Whether it changes nothing.
	reads bool
}

// methodOf finds an RPC by its path, such as /chatbridge.v1.ConversationService/SendMessage.
func methodOf(path string) method {
	name := strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ".")
	// The registry is fast enough to be asked each time.
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return method{}
	}
	descriptor, isMethod := found.(protoreflect.MethodDescriptor)
	if !isMethod {
		return method{}
	}
	options, _ := descriptor.Options().(*descriptorpb.MethodOptions)
	level := options.GetIdempotencyLevel()
	return method{
		repeatable: level != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN,
		// The stream of events has no level, since it is not repeated as a call is; reading it changes nothing.
		reads: level == descriptorpb.MethodOptions_NO_SIDE_EFFECTS || descriptor.IsStreamingServer(),
	}
}
