package chatbridge

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// changes has the request that a stream connects with, and what becomes of it by cursors and by changes of conversations. What
// was accepted and not told of on the stream is lost with the connection, and made anew on the next before any other change.
type changes struct {
	mu      sync.Mutex
	request *pb.AgentEventsRequest

	// Of the connection that there is now.
	now connected
	// Closed while changes can be made.
	ready chan struct{}
	// The last that the stream told of.
	told uint64
	// Accepted and not told of, in the order of their revisions.
	pending []accepted
	// To be made anew, in this order.
	lost []*pb.ChangeAgentEventsRequest
}

// connected names a connection of a stream.
type connected struct {
	number int
	tenant string
	id     string
}

type accepted struct {
	revision uint64
	change   *pb.ChangeAgentEventsRequest
}

// newChanges keeps request, which must be nobody else's.
func newChanges(request *pb.AgentEventsRequest) *changes {
	return &changes{request: request, now: connected{tenant: request.GetTenant()}, ready: make(chan struct{})}
}

// moveTo makes the stream start behind cursor, unless the service keeps its place.
func (c *changes) moveTo(cursor []byte) {
	if len(cursor) == 0 || c.request.GetSubscription() != "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.request.Start = &pb.AgentEventsRequest_Cursor{Cursor: cursor}
}

// failsOnGap says whether the caller asked the service to end the stream where events are gone.
func (c *changes) failsOnGap() bool {
	policy := c.request.GetGapPolicy()
	return policy == pb.GapPolicy_GAP_POLICY_UNSPECIFIED || policy == pb.GapPolicy_GAP_POLICY_FAIL
}

// connect is what the next connection asks for.
func (c *changes) connect() *pb.AgentEventsRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return proto.CloneOf(c.request)
}

// disconnect notes that a connection is over: until the next has a name, no changes can be made.
func (c *changes) disconnect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.number++
	c.now.id = ""
	c.told = 0
	again := make([]*pb.ChangeAgentEventsRequest, 0, len(c.pending)+len(c.lost))
	for _, each := range c.pending {
		again = append(again, each.change)
	}
	// Those of pending were made before what this connection did not come to.
	c.lost = append(again, c.lost...)
	c.pending = nil
	select {
	case <-c.ready:
		c.ready = make(chan struct{})
	default:
	}
}

// named notes the stream's id. It says whether changes were lost, to be made anew by redo.
func (c *changes) named(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == "" || c.now.id != "" {
		return false
	}
	c.now.id = id
	if len(c.lost) > 0 {
		return true
	}
	close(c.ready)
	return false
}

// await waits until changes can be made.
func (c *changes) await(ctx, stream context.Context) (connected, error) {
	for {
		c.mu.Lock()
		ready := c.ready
		c.mu.Unlock()
		select {
		case <-ready:
		case <-ctx.Done():
			return connected{}, context.Cause(ctx)
		case <-stream.Done():
			return connected{}, ErrStreamClosed
		}
		c.mu.Lock()
		now, still := c.now, c.ready == ready
		c.mu.Unlock()
		if still {
			return now, nil
		}
	}
}

// accepted notes a change that was made on a connection, if it succeeded; false: that connection is over, and the change with it.
func (c *changes) accepted(made connected, change *pb.ChangeAgentEventsRequest, revision uint64, succeeded bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.number != made.number {
		return false
	}
	if succeeded {
		at, _ := slices.BinarySearchFunc(c.pending, revision, func(each accepted, revision uint64) int {
			return cmp.Compare(each.revision, revision)
		})
		c.pending = slices.Insert(c.pending, at, accepted{revision, change})
		// The stream may have told of it before the call was answered.
		c.settle()
	}
	return true
}

// tell notes that the stream has what was changed up to revision.
func (c *changes) tell(revision uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = revision
	c.settle()
}

// settle puts what holds into the request. Needs mu.
func (c *changes) settle() {
	for len(c.pending) > 0 && c.pending[0].revision <= c.told {
		change := c.pending[0].change
		c.pending = c.pending[1:]
		c.request.ConversationIds = applied(c.request.GetConversationIds(), change)
	}
}

func applied(conversations []string, change *pb.ChangeAgentEventsRequest) []string {
	have := slices.DeleteFunc(slices.Clone(conversations), func(id string) bool {
		return slices.Contains(change.GetRemoveConversationIds(), id)
	})
	for _, id := range change.GetAddConversationIds() {
		if !slices.Contains(have, id) {
			have = append(have, id)
		}
	}
	return have
}

// redo makes anew what was lost, as call makes a change, and then lets others be made.
func (c *changes) redo(call func(*pb.ChangeAgentEventsRequest) (uint64, error)) error {
	for {
		c.mu.Lock()
		now := c.now
		if len(c.lost) == 0 {
			close(c.ready)
			c.mu.Unlock()
			return nil
		}
		change := proto.CloneOf(c.lost[0])
		c.mu.Unlock()

		change.StreamId = now.id
		revision, err := call(change)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.lost = c.lost[1:]
		c.mu.Unlock()
		c.accepted(now, change, revision, true)
	}
}

// overWithStream says whether a change failed because its stream is over, or may be.
func overWithStream(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && (failed.Code == codes.Unavailable || failed.Reason == "STREAM_UNKNOWN")
}
