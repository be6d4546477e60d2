package chatbridge

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// filled is a copy of a request that has the client's tenant and a request_id where it has none of its own. The caller's
// message stays as it is. A part of a streamed request is filled in where it is the start.
func filled[M any](request M, tenant string) M {
	message, isMessage := any(request).(proto.Message)
	if !isMessage {
		return request
	}
	into := message.ProtoReflect()
	if !into.IsValid() {
		// A nil message is an empty one.
		into = into.New()
		fill(into, tenant)
		return into.Interface().(M)
	}
	start := into.Descriptor().Fields().ByName("start")
	switch {
	case start != nil && start.Message() != nil:
		if !into.Has(start) {
			return request
		}
		into = proto.Clone(message).ProtoReflect()
		fill(into.Mutable(start).Message(), tenant)
	default:
		into = proto.Clone(message).ProtoReflect()
		fill(into, tenant)
	}
	return into.Interface().(M)
}

func fill(into protoreflect.Message, tenant string) {
	set(into, "tenant", func() string { return tenant })
	set(into, "request_id", uuid.NewString)
}

// set sets a field, where there is one, to a value unless it has one.
func set(into protoreflect.Message, name protoreflect.Name, value func() string) {
	field := into.Descriptor().Fields().ByName(name)
	if field == nil || field.Kind() != protoreflect.StringKind || field.IsList() || into.Has(field) {
		return
	}
	if text := value(); text != "" {
		into.Set(field, protoreflect.ValueOfString(text))
	}
}
