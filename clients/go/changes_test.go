package chatbridge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// named is the first response of a changeable stream.
func named(id string) *pb.AgentEventsResponse {
	response := heartbeat("")
	response.GetHeartbeat().StreamId = id
	return response
}

func changed(revision uint64) *pb.AgentEventsResponse {
	return &pb.AgentEventsResponse{
		Cursor:  []byte("changed"),
		Payload: &pb.AgentEventsResponse_Changed{Changed: &pb.Changed{Revision: revision}},
	}
}

func TestChangesOutliveABreak(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		breaking := make(chan struct{})
		breaks := func(_ grpc.ServerStreamingServer[pb.AgentEventsResponse]) error {
			<-breaking
			return failure(codes.Unavailable, "DRAINING")
		}
		told := func(stream grpc.ServerStreamingServer[pb.AgentEventsResponse]) error {
			<-breaking
			if err := stream.Send(changed(1)); err != nil {
				return err
			}
			return breaks(stream)
		}
		fake.connections = []connectionOf{sends(told, named("first")), sends(hangs, named("second"))}
		revision := uint64(0)
		fake.change = func(*pb.ChangeAgentEventsRequest) (*pb.ChangeAgentEventsResponse, error) {
			revision++
			return &pb.ChangeAgentEventsResponse{Revision: revision}, nil
		}
		stream := client.AgentEvents(context.Background(), &pb.AgentEventsRequest{
			Changeable:      true,
			ConversationIds: []string{"a", "b"},
		})
		go func() {
			for range stream.All() {
			}
		}()
		change := func(add, remove string) {
			err := stream.Change(context.Background(), &pb.ChangeAgentEventsRequest{
				AddConversationIds: []string{add}, RemoveConversationIds: []string{remove},
			})
			if err != nil {
				t.Error(err)
			}
		}
		change("c", "a") // told
		change("d", "b") // not told
		breaking <- struct{}{}
		synctest.Wait()
		breaking <- struct{}{}
		synctest.Wait()
		// It waits for the next connection, and for what was lost.
		change("e", "d")

		if again := strings.Join(fake.requests[1].GetConversationIds(), " "); again != "b c" {
			t.Error("the second connection asks for", again)
		}
		var made []string
		for _, each := range fake.changes {
			made = append(made, each.GetStreamId()+" "+strings.Join(each.GetAddConversationIds(), " "))
		}
		if all := strings.Join(made, ", "); all != "first c, first d, second d, second e" {
			t.Error("made", all)
		}
		_ = stream.Close()
		if err := stream.Change(context.Background(), &pb.ChangeAgentEventsRequest{}); !errors.Is(err, ErrStreamClosed) {
			t.Error(err)
		}
	})
}

func TestAChangeBelongsToTheConnectionThatItWasMadeOn(t *testing.T) {
	changes := newChanges(&pb.AgentEventsRequest{ConversationIds: []string{"a"}, Changeable: true})
	changes.named("first")
	first, err := changes.await(t.Context(), t.Context())
	if err != nil || first.id != "first" {
		t.Fatal(first, err)
	}
	changes.disconnect()
	add := func(id string) *pb.ChangeAgentEventsRequest {
		return &pb.ChangeAgentEventsRequest{AddConversationIds: []string{id}}
	}
	if changes.accepted(first, add("b"), 1, true) {
		t.Error("a change counts that was made on a connection that is over")
	}
	changes.named("second")
	second, err := changes.await(t.Context(), t.Context())
	if err != nil || second.id != "second" {
		t.Fatal(second, err)
	}
	// The stream may tell of changes before their calls are answered, and the calls may be answered in another order.
	changes.tell(2)
	for revision, id := range map[uint64]string{3: "d", 2: "c"} {
		if !changes.accepted(second, add(id), revision, true) {
			t.Error("revision", revision, "does not count")
		}
	}
	if has := strings.Join(changes.connect().GetConversationIds(), " "); has != "a c" {
		t.Error("the next connection asks for", has)
	}
	changes.tell(3)
	if has := strings.Join(changes.connect().GetConversationIds(), " "); has != "a c d" {
		t.Error("the next connection asks for", has)
	}
}

func TestOnlyAChangeableStreamCanBeChanged(t *testing.T) {
	withFake(t, func(t *testing.T, _ *fake, client *Client) {
		stream := client.AgentEvents(context.Background(), nil)
		if err := stream.Change(context.Background(), &pb.ChangeAgentEventsRequest{}); err == nil {
			t.Error("no error")
		}
	})
}
