// Command worker prints every event of the tenant. It keeps its place in a file, so that it misses nothing over a crash.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	chatbridge "github.com/chatbridge/chatbridge/clients/go"
	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: worker FILE")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1]); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, place string) error {
	client, err := chatbridge.New(
		cmp.Or(os.Getenv("CHATBRIDGE_TARGET"), "127.0.0.1:50051"),
		chatbridge.WithPlaintext(),
		chatbridge.WithToken(os.Getenv("CHATBRIDGE_TOKEN")),
	)
	if err != nil {
		return err
	}
	defer client.Close()

	load := func(context.Context) ([]byte, error) {
		cursor, err := os.ReadFile(place)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return cursor, err
	}
	// Replaced as a whole: a crash leaves the old cursor or the new one.
	save := func(_ context.Context, cursor []byte) error {
		if err := os.WriteFile(place+".new", cursor, 0o600); err != nil {
			return err
		}
		return os.Rename(place+".new", place)
	}
	events := client.AgentEvents(ctx, &pb.AgentEventsRequest{
		Start:     &pb.AgentEventsRequest_Position{Position: pb.StartPosition_START_POSITION_EARLIEST},
		GapPolicy: pb.GapPolicy_GAP_POLICY_EARLIEST,
	}, chatbridge.WithCursor(load, save))
	for response, err := range events.All() {
		if err != nil {
			return err
		}
		// What is done here is done when the loop asks for the next response: only then is the cursor saved.
		if event := response.GetEvent(); event != nil {
			kind := strings.TrimPrefix(event.Kind.String(), "EVENT_KIND_")
			// What belongs to no conversation has no identifier.
			fmt.Println(cmp.Or(event.ConversationId, "-"), event.Sequence, kind)
		}
	}
	return nil
}
