package chatbridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// transport is what the generated stubs call: it gives each call tenant, request_id, token, deadline, attempts and errors.
type transport struct {
	connections *connections
	tenant      string
	token       TokenSource
	timeout     time.Duration
	attempts    int
}

// Invoke makes a call with one request and one response.
func (t *transport) Invoke(ctx context.Context, path string, request, response any, options ...grpc.CallOption) error {
	ctx, cancel := withTimeout(ctx, t.timeout)
	defer cancel()
	method := methodOf(path)
	request = filled(request, t.tenant)
	return withRetries(ctx, method, t.attempts, func() error {
		authorized, err := t.authorized(ctx)
		if err != nil {
			return err
		}
		connection, err := t.connections.take()
		if err != nil {
			return err
		}
		defer t.connections.give(connection)
		return readError(ctx, method, connection.Invoke(authorized, path, request, response, options...))
	})
}

// NewStream begins a streamed call.
func (t *transport) NewStream(
	ctx context.Context, description *grpc.StreamDesc, path string, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	authorized, err := t.authorized(ctx)
	if err != nil {
		return nil, err
	}
	connection, err := t.connections.take()
	if err != nil {
		return nil, err
	}
	return over{t, connection}.NewStream(authorized, description, path, options...)
}

// authorized is ctx with the token that is good now.
func (t *transport) authorized(ctx context.Context) (context.Context, error) {
	if t.token == nil {
		return ctx, nil
	}
	token, err := t.token(ctx)
	if err != nil {
		return nil, fmt.Errorf("chatbridge: getting the token: %w", err)
	}
	if token == "" {
		return ctx, nil
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), nil
}

// over begins streamed calls over a connection that was taken, and gives it back when they end. It asks for no token.
type over struct {
	*transport
	connection *connection
}

// NewStream begins a streamed call.
func (o over) NewStream(
	ctx context.Context, description *grpc.StreamDesc, path string, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	// gRPC may tell more than once that a call is over which failed as it began.
	giveBack := sync.OnceFunc(func() { o.connections.give(o.connection) })
	method := methodOf(path)
	options = append(options[:len(options):len(options)], grpc.OnFinish(func(error) { giveBack() }))
	stream, err := o.connection.NewStream(ctx, description, path, options...)
	if err != nil {
		giveBack()
		return nil, readError(ctx, method, err)
	}
	return &clientStream{ClientStream: stream, caller: ctx, method: method, tenant: o.tenant}, nil
}

// clientStream is a streamed call whose errors are the library's.
type clientStream struct {
	grpc.ClientStream
	// The stream's own context ends with the stream, whoever ended it.
	caller context.Context
	method method
	tenant string
}

// SendMsg sends the next message; [io.EOF]: the call is over, and RecvMsg tells why.
func (s *clientStream) SendMsg(message any) error {
	return s.read(s.ClientStream.SendMsg(filled(message, s.tenant)))
}

// RecvMsg receives the next message; [io.EOF]: the call ended well.
func (s *clientStream) RecvMsg(message any) error {
	return s.read(s.ClientStream.RecvMsg(message))
}

func (s *clientStream) read(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return readError(s.caller, s.method, err)
}

// withTimeout is ctx with a deadline, unless the caller has set one.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}
