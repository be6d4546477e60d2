package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	chatbridge "github.com/chatbridge/chatbridge/clients/go"
	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
	"github.com/chatbridge/chatbridge/clients/go/internal/driverpb"
)

// stream is an application that ranges over events, one step each time that the runner takes a response. It begins at once, as
// an application does: a stream connects when it is ranged over.
type stream struct {
	*chatbridge.EventStream
	// A response that the loop is at.
	at chan item
	// Lets the loop go on from the response that it is at.
	goOn chan struct{}
	// Closed when the application ends the stream.
	closing chan struct{}
	close   func()
	// Closed when the loop is over, and what it ended with.
	over chan struct{}
	err  error

	// Of the one that takes; the others wait.
	taking sync.Mutex
	// What the loop is at; nil: nothing was taken.
	last *item
}

type item struct {
	response *pb.AgentEventsResponse
	// The stream's cursor once the response was given.
	cursor []byte
}

func openStream(client *client, command *driverpb.OpenStream) (*stream, error) {
	request := &pb.AgentEventsRequest{}
	if err := proto.Unmarshal(command.GetRequest(), request); err != nil {
		return nil, err
	}
	var options []chatbridge.StreamOption
	if path := command.GetCursorFile(); path != "" {
		options = append(options, chatbridge.WithCursor(hooks(path)))
	}
	if command.GetWithoutResume() {
		options = append(options, chatbridge.WithoutResume())
	}
	if buffer := command.GetBuffer(); buffer > 0 {
		options = append(options, chatbridge.WithBuffer(int(buffer)))
	}
	opened := &stream{
		EventStream: client.AgentEvents(context.Background(), request, options...),
		at:          make(chan item),
		goOn:        make(chan struct{}),
		closing:     make(chan struct{}),
		over:        make(chan struct{}),
	}
	opened.close = sync.OnceFunc(func() { close(opened.closing) })
	go opened.run()
	return opened, nil
}

func (s *stream) run() {
	defer close(s.over)
	for response, err := range s.All() {
		if err != nil {
			s.err = err
			return
		}
		select {
		case s.at <- item{response, s.Cursor()}:
		case <-s.closing:
			// The runner did not take it, so it was not processed.
			return
		}
		select {
		case <-s.goOn:
		case <-s.closing:
			// It was processed: the loop comes back from it, so that its cursor is saved.
		}
	}
}

// end ends the stream as an application does.
func (s *stream) end() error {
	s.close()
	err := s.EventStream.Close()
	<-s.over
	return err
}

// take takes responses until enough of them count, the time is over or the iteration is.
func (s *stream) take(command *driverpb.Take) *driverpb.Response {
	s.taking.Lock()
	defer s.taking.Unlock()
	var timeout <-chan time.Time
	if command.GetTimeout() != nil {
		timeout = time.After(command.GetTimeout().AsDuration())
	}
	taken := &driverpb.Taken{}
	for counted := int32(0); counted < max(command.GetCount(), 1); {
		next, ended := s.next(command.GetPause().AsDuration(), timeout)
		if next == nil {
			taken.Ended = ended
			break
		}
		encoded, err := proto.Marshal(next.response)
		if err != nil {
			return failure(err)
		}
		taken.Responses = append(taken.Responses, encoded)
		if command.GetPayload() == "" || command.GetPayload() == payload(next.response) {
			counted++
		}
	}
	taken.Cursor = s.Cursor()
	if s.last != nil {
		// The loop may be ahead of the runner.
		taken.Cursor = s.last.cursor
	}
	if taken.Ended && s.err != nil {
		if taken.Error = errorOf(s.err); taken.Error == nil {
			return failure(s.err)
		}
	}
	return &driverpb.Response{Result: &driverpb.Response_Taken{Taken: taken}}
}

// next lets the loop go on to the next response; nil: the time is over, or the iteration.
func (s *stream) next(pause time.Duration, timeout <-chan time.Time) (next *item, ended bool) {
	if s.last != nil && s.last.response != nil {
		if pause > 0 && s.last.response.GetEvent() != nil {
			select {
			case <-time.After(pause):
			case <-timeout:
				return nil, false
			}
		}
		select {
		case s.goOn <- struct{}{}:
		case <-s.over:
			return nil, true
		}
		// Whoever takes next finds the loop on its way.
		s.last = &item{cursor: s.last.cursor}
	}
	select {
	case got := <-s.at:
		s.last = &got
		return &got, false
	case <-s.over:
		return nil, true
	case <-timeout:
		return nil, false
	}
}

func payload(response *pb.AgentEventsResponse) string {
	message := response.ProtoReflect()
	field := message.WhichOneof(message.Descriptor().Oneofs().ByName("payload"))
	if field == nil {
		return ""
	}
	return string(field.Name())
}

func (s *stream) change(command *driverpb.Change) *driverpb.Response {
	request := &pb.ChangeAgentEventsRequest{}
	if err := proto.Unmarshal(command.GetRequest(), request); err != nil {
		return failure(err)
	}
	return done(s.Change(context.Background(), request))
}

// hooks keep a stream's cursor in the file at path.
func hooks(path string) (
	load func(context.Context) ([]byte, error), save func(context.Context, []byte) error,
) {
	load = func(context.Context) ([]byte, error) {
		cursor, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return cursor, err
	}
	save = func(_ context.Context, cursor []byte) error {
		if err := os.WriteFile(path+".new", cursor, 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}
	return load, save
}
