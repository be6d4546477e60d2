// Command bot hands a customer over to an agent, waits until one has joined, answers the agent's first message and leaves.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"

	chatbridge "github.com/chatbridge/chatbridge/clients/go"
	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, err := chatbridge.New(
		cmp.Or(os.Getenv("CHATBRIDGE_TARGET"), "127.0.0.1:50051"),
		chatbridge.WithPlaintext(),
		chatbridge.WithToken(os.Getenv("CHATBRIDGE_TOKEN")),
	)
	if err != nil {
		return err
	}
	defer client.Close()

	chat, err := client.HandOverConversation(ctx, &pb.HandOver{
		ChannelId:  "sandbox-chat",
		User:       &pb.User{Name: "Ada"},
		Assignment: chatbridge.ToQueue("100"),
		History: []*pb.MessageInput{
			chatbridge.FromUser("Where is my parcel?"),
			chatbridge.FromBot("I will find somebody who knows."),
		},
	}, nil)
	if err != nil {
		return err
	}

	// From the answer's cursor on, so that nothing is missed which happened meanwhile.
	events := client.AgentEvents(ctx, &pb.AgentEventsRequest{
		ConversationIds: []string{chat.ConversationId},
		Start:           &pb.AgentEventsRequest_Cursor{Cursor: chat.Cursor},
	})
	answered := false
	for response, err := range events.All() {
		if err != nil {
			return err
		}
		event := response.GetEvent()
		switch body := event.GetBody().(type) {
		case *pb.AgentEvent_MemberChanged:
			if isAgent(body.MemberChanged.Member) && body.MemberChanged.Change == pb.MemberChange_MEMBER_CHANGE_JOINED {
				// The vendor names agents only where the operator set that up.
				fmt.Println("agent joined:", cmp.Or(body.MemberChanged.Member.Name, body.MemberChanged.Member.Id))
			}
		case *pb.AgentEvent_Message:
			if !isAgent(body.Message.Sender) {
				continue
			}
			fmt.Println("agent:", body.Message.Text)
			if answered {
				continue
			}
			answered = true
			_, err := client.SendMessage(ctx, &pb.SendMessageRequest{
				ConversationId: chat.ConversationId,
				Message:        chatbridge.FromUser("Thank you, bye"),
			})
			if err != nil {
				return err
			}
		case *pb.AgentEvent_ConversationUpdated:
			if body.ConversationUpdated.State == pb.ConversationState_CONVERSATION_STATE_IDLE {
				fmt.Println("ended")
				return nil
			}
		}
	}
	return nil
}

func isAgent(participant *pb.Participant) bool {
	return participant.GetType() == pb.AuthorType_AUTHOR_TYPE_AGENT
}
