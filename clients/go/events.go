package chatbridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"google.golang.org/protobuf/proto"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// ErrStreamClosed is what [EventStream.Change] answers once the stream has ended.
var ErrStreamClosed = errors.New("chatbridge: the stream has ended")

// bufferDefault is how many responses are held that the application has not asked for.
const bufferDefault = 64

// StreamOption changes how a stream of events behaves.
type StreamOption func(*streamOptions)

type streamOptions struct {
	buffer        int
	withoutResume bool
	load          func(ctx context.Context) ([]byte, error)
	save          func(ctx context.Context, cursor []byte) error
}

// WithoutResume ends the iteration at the first break, with its error, and at an ending, without one.
func WithoutResume() StreamOption {
	return func(o *streamOptions) { o.withoutResume = true }
}

// WithBuffer sets how many responses are held at most that the application has not asked for, at least 1. When so many are, the
// stream is not read, and the server is held up. Default: 64.
func WithBuffer(responses int) StreamOption {
	return func(o *streamOptions) { o.buffer = max(responses, 1) }
}

// WithCursor keeps the stream's place where the application wants it. load is asked once, before the first connection: a cursor
// that is not empty wins over the request's start. save is called with the cursor of a response when the loop asks for the one
// after it, so what is saved was processed; leaving the loop by break or return saves nothing of the response at hand. Both may
// block. Where one fails, the iteration ends with its error. Not for a subscription, whose place the service keeps.
func WithCursor(
	load func(ctx context.Context) ([]byte, error), save func(ctx context.Context, cursor []byte) error,
) StreamOption {
	return func(o *streamOptions) { o.load, o.save = load, save }
}

// EventStream has the responses of AgentEvents, each once and in order: events, heartbeats, gaps, changes and endings. Range over
// [EventStream.All] once; the other methods may be called from any goroutine.
type EventStream struct {
	client  *Client
	options streamOptions
	changes *changes

	// The caller's, and what ends with it or with Close.
	caller context.Context
	ctx    context.Context
	cancel context.CancelCauseFunc
	// What reads ahead of the application.
	reading sync.WaitGroup

	mu     sync.Mutex
	begun  bool
	cursor []byte
}

// AgentEvents streams what agents do. It connects when it is ranged over:
//
//	for response, err := range client.AgentEvents(ctx, request).All() {
//
// After a break it connects again, for as long as it takes, and goes on behind the last response that it received. With a
// subscription in the request the service knows the place: see CommitCursor. The iteration ends with an error where connecting
// again cannot mend it (*[Error]), the server advises not to (*[StreamEndedError]), a hook or the token source fails, or ctx ends;
// and without one after [EventStream.Close] and [Client.Close].
func (c *Client) AgentEvents(ctx context.Context, request *pb.AgentEventsRequest, opts ...StreamOption) *EventStream {
	options := streamOptions{buffer: bufferDefault}
	for _, option := range opts {
		option(&options)
	}
	stream := &EventStream{
		client:  c,
		options: options,
		changes: newChanges(filled(request, c.transport.tenant)),
		caller:  ctx,
		cursor:  bytes.Clone(request.GetCursor()),
	}
	stream.ctx, stream.cancel = context.WithCancelCause(ctx)
	return stream
}

// SubscriptionEvents streams the events of a named subscription, from its committed place on. Commit what was processed with
// CommitCursor. memberName is what the subscription's members show of this stream; it may be empty.
func (c *Client) SubscriptionEvents(
	ctx context.Context, subscription, memberName string, opts ...StreamOption,
) *EventStream {
	return c.AgentEvents(ctx, &pb.AgentEventsRequest{Subscription: subscription, MemberName: memberName}, opts...)
}

// Cursor is the place behind the response that was given last; before the first, the start's. Store it with what came of that
// response, and start from it after a restart.
func (s *EventStream) Cursor() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.cursor)
}

// Close ends the stream at once: the iteration ends without an error, and nothing of the stream runs any more when Close returns.
// A loop that is at a response saves its cursor when it comes back from it. Close always returns nil.
func (s *EventStream) Close() error {
	// Within the lock, so that nobody begins to read afterwards.
	s.mu.Lock()
	s.cancel(ErrStreamClosed)
	s.mu.Unlock()
	s.reading.Wait()
	return nil
}

// All ranges over the responses, over as many connections as it takes. An error is the last that it gives. Leaving the loop ends
// the stream. To range over it again gives nothing.
func (s *EventStream) All() iter.Seq2[*pb.AgentEventsResponse, error] {
	return func(yield func(*pb.AgentEventsResponse, error) bool) {
		if err := s.iterate(yield); err != nil {
			yield(nil, err)
		}
	}
}

func (s *EventStream) iterate(yield func(*pb.AgentEventsResponse, error) bool) error {
	if !s.begin() {
		return nil
	}
	if !s.client.add(s) {
		return ErrClosed
	}
	defer s.client.remove(s)
	defer s.Close()
	if err := s.load(); err != nil {
		return s.unlessOver(err)
	}
	reader := newReader(s)
	s.read(reader)
	for {
		response, err := reader.next(s.ctx)
		if response == nil {
			return s.unlessOver(err)
		}
		cursor := response.GetCursor()
		s.given(cursor)
		if !yield(response, nil) {
			return nil
		}
		if err := s.save(cursor); err != nil {
			return err
		}
	}
}

// begin is true for the first that ranges over the stream, unless it was closed before.
func (s *EventStream) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.begun
	s.begun = true
	return first && !errors.Is(context.Cause(s.ctx), ErrStreamClosed)
}

// read lets reader read ahead, unless the stream is over.
func (s *EventStream) read(reader *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil {
		s.reading.Go(func() { reader.run(s.ctx) })
	}
}

func (s *EventStream) given(cursor []byte) {
	if len(cursor) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursor = cursor
}

// unlessOver is err, or why the stream was ended from outside: nothing for Close, and what the caller's context says.
func (s *EventStream) unlessOver(err error) error {
	switch {
	case errors.Is(context.Cause(s.ctx), ErrStreamClosed):
		return nil
	case s.caller.Err() != nil:
		return context.Cause(s.caller)
	default:
		return err
	}
}

func (s *EventStream) load() error {
	if s.options.load == nil && s.options.save == nil {
		return nil
	}
	if s.changes.request.GetSubscription() != "" {
		return errors.New("chatbridge: a subscription's place is kept by the service, so WithCursor is not for it")
	}
	if s.options.load == nil {
		return nil
	}
	cursor, err := s.options.load(s.ctx)
	if err != nil {
		return fmt.Errorf("chatbridge: loading the cursor: %w", err)
	}
	if len(cursor) > 0 {
		s.changes.moveTo(cursor)
		s.given(cursor)
	}
	return nil
}

// save is for a response that was processed, so it is done even where the stream was ended meanwhile.
func (s *EventStream) save(cursor []byte) error {
	if s.options.save == nil || len(cursor) == 0 {
		return nil
	}
	if err := s.options.save(context.WithoutCancel(s.ctx), cursor); err != nil {
		return fmt.Errorf("chatbridge: saving the cursor: %w", err)
	}
	return nil
}

// Change adds conversations to a changeable stream and takes others off. Somebody must be ranging over the stream: Change waits
// until it is connected. The response Changed tells from where on it holds. After a break the stream has what was changed.
//
// change is left as it is; its tenant and stream_id are filled in.
func (s *EventStream) Change(ctx context.Context, change *pb.ChangeAgentEventsRequest) error {
	if !s.changes.request.GetChangeable() {
		return errors.New("chatbridge: only a stream that was opened as changeable can be changed")
	}
	for {
		connected, err := s.changes.await(ctx, s.ctx)
		if err != nil {
			return err
		}
		request := proto.CloneOf(change)
		request.Tenant, request.StreamId = connected.tenant, connected.id
		answer, err := s.client.ChangeAgentEvents(ctx, request)
		current := s.changes.accepted(connected, request, answer.GetRevision(), err == nil)
		// What was asked of a connection that is over is asked of the next one.
		if current || err != nil && !overWithStream(err) {
			return err
		}
	}
}
