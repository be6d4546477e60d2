package chatbridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

const (
	// How long the first response of a connection may take.
	openWithin = 10 * time.Second
	// How long a connection may be silent until a heartbeat has told how often one comes.
	silenceDefault = 40 * time.Second
	// How often in a row a token that changes may be refused before that is an error.
	refusalsMax = 3
)

// errSilent is why the watchdog gives a connection up.
var errSilent = errors.New("nothing came for too long")

// reader connects for an [EventStream], as often as it takes, and reads ahead of the application.
type reader struct {
	stream *EventStream
	// One in it for each response that is held or being read.
	slots     chan struct{}
	responses chan *pb.AgentEventsResponse
	// Why it ended; set before responses is closed.
	err error

	// How long a connection may be silent.
	silence  time.Duration
	attempt  int
	refusals int
	// Whether the server told of a gap after which the request asks it to fail.
	gap bool
}

// broken is how a connection ended.
type broken struct {
	// What the server announced; nil: nothing.
	ending *pb.Ending
	// What it broke with; nil: the server closed it.
	err error
	// For how long it held; 0: nothing came.
	held time.Duration
}

func newReader(stream *EventStream) *reader {
	return &reader{
		stream:    stream,
		slots:     make(chan struct{}, stream.options.buffer),
		responses: make(chan *pb.AgentEventsResponse, stream.options.buffer),
		silence:   silenceDefault,
	}
}

// next is the next response; nil: there is none any more, and why.
func (r *reader) next(ctx context.Context) (*pb.AgentEventsResponse, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	select {
	case response, open := <-r.responses:
		if !open {
			return nil, r.err
		}
		<-r.slots
		return response, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run reads until ctx ends or connecting again cannot mend what happened.
func (r *reader) run(ctx context.Context) {
	defer close(r.responses)
	for {
		broken, err := r.connection(ctx)
		if err == nil && ctx.Err() == nil {
			var next step
			if next, err = r.after(broken); err == nil && next.again && sleep(ctx, next.wait) {
				continue
			}
		}
		r.err = err
		return
	}
}

// connection reads one connection to its end. An error is what connecting again cannot mend.
func (r *reader) connection(ctx context.Context) (broken, error) {
	transport := r.stream.client.transport
	ctx, cancel := context.WithCancelCause(ctx)
	var changing sync.WaitGroup
	defer func() {
		cancel(nil)
		changing.Wait()
		r.stream.changes.disconnect()
	}()
	// Before connecting: a connection that is not read falls behind.
	if !r.takeSlot(ctx) {
		return broken{}, nil
	}
	authorized, err := transport.authorized(ctx)
	if err != nil {
		return broken{}, err
	}
	taken, err := transport.connections.take()
	if err != nil {
		return broken{}, err
	}
	changeAnew := func() {
		changing.Go(func() {
			if err := r.stream.changes.redo(r.change(ctx)); err != nil {
				cancel(err)
			}
		})
	}
	return r.read(authorized, cancel, taken, changeAnew), nil
}

// read opens the stream over a channel and reads it until it is over or ctx ends, with a slot for the first response.
func (r *reader) read(
	ctx context.Context, cancel context.CancelCauseFunc, taken *connection, changeAnew func(),
) broken {
	patience := openWithin
	watchdog := time.AfterFunc(patience, func() { cancel(errSilent) })
	defer watchdog.Stop()
	stub := pb.NewAgentEventServiceClient(over{r.stream.client.transport, taken})
	call, err := stub.AgentEvents(ctx, r.stream.changes.connect())
	var opened time.Time
	for err == nil {
		var response *pb.AgentEventsResponse
		response, err = call.Recv()
		watchdog.Stop()
		if err != nil {
			break
		}
		if opened.IsZero() {
			opened = time.Now()
		}
		if r.accept(response) {
			changeAnew()
		}
		// With its slot, which the application gives back.
		r.responses <- response
		if ending := response.GetEnding(); ending != nil {
			return broken{ending: ending, held: since(opened)}
		}
		// The watchdog's clock stands still for as long as the application holds the stream up.
		if !r.takeSlot(ctx) {
			return broken{err: r.why(ctx, taken, patience, ctx.Err()), held: since(opened)}
		}
		patience = r.silence
		watchdog.Reset(patience)
	}
	// The slot was for what did not come.
	<-r.slots
	return broken{err: r.why(ctx, taken, patience, err), held: since(opened)}
}

// takeSlot waits until there is room for another response; false: ctx ended first.
func (r *reader) takeSlot(ctx context.Context) bool {
	select {
	case r.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// why says what a connection broke with, where gRPC says err; nil: the server closed it.
func (r *reader) why(ctx context.Context, taken *connection, patience time.Duration, err error) error {
	cause := context.Cause(ctx)
	var changing *Error
	switch {
	case errors.Is(cause, errSilent):
		if err := r.stream.client.transport.connections.replace(taken); err != nil {
			return fmt.Errorf("chatbridge: %w", err)
		}
		return &Error{Code: codes.Unavailable, Message: fmt.Sprintf("nothing came for %v", patience)}
	case errors.As(cause, &changing):
		return changing
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// change makes changes while ctx holds.
func (r *reader) change(ctx context.Context) func(*pb.ChangeAgentEventsRequest) (uint64, error) {
	return func(request *pb.ChangeAgentEventsRequest) (uint64, error) {
		answer, err := r.stream.client.ChangeAgentEvents(ctx, request)
		return answer.GetRevision(), err
	}
}

// accept notes what a response means for the stream; true: changes are to be made anew.
func (r *reader) accept(response *pb.AgentEventsResponse) bool {
	changes := r.stream.changes
	changes.moveTo(response.GetCursor())
	r.refusals = 0
	switch payload := response.GetPayload().(type) {
	case *pb.AgentEventsResponse_Heartbeat:
		if interval := payload.Heartbeat.GetInterval().AsDuration(); interval > 0 {
			r.silence = 2 * interval
		}
		return changes.named(payload.Heartbeat.GetStreamId())
	case *pb.AgentEventsResponse_Changed:
		changes.tell(payload.Changed.GetRevision())
	case *pb.AgentEventsResponse_Gap:
		r.gap = changes.failsOnGap()
	}
	return false
}

func since(opened time.Time) time.Duration {
	if opened.IsZero() {
		return 0
	}
	return time.Since(opened)
}
