package chatbridge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

func TestHowAnIterationEnds(t *testing.T) {
	cause := errors.New("enough")
	cases := []struct {
		name string
		end  func(client *Client, stream *EventStream, cancel context.CancelCauseFunc)
		want error
	}{
		{"by Close", func(_ *Client, stream *EventStream, _ context.CancelCauseFunc) { _ = stream.Close() }, nil},
		{"by the client's Close", func(client *Client, _ *EventStream, _ context.CancelCauseFunc) { _ = client.Close() }, nil},
		{"by the context", func(_ *Client, _ *EventStream, cancel context.CancelCauseFunc) { cancel(cause) }, cause},
	}
	for _, test := range cases {
		t.Run(test.name+" while it waits", func(t *testing.T) {
			withFake(t, func(t *testing.T, fake *fake, client *Client) {
				fake.connections = []connectionOf{sends(hangs, heartbeat("1"))}
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				stream := client.AgentEvents(ctx, nil)
				ended := make(chan error)
				go func() {
					_, err := taken(stream, 2)
					ended <- err
				}()
				synctest.Wait()
				test.end(client, stream, cancel)
				if err := <-ended; !errors.Is(err, test.want) {
					t.Error(err)
				}
				if reading() {
					t.Error("a goroutine is left")
				}
			})
		})
		t.Run(test.name+" inside the loop", func(t *testing.T) {
			withFake(t, func(t *testing.T, fake *fake, client *Client) {
				fake.connections = []connectionOf{sends(hangs, heartbeat("1"), heartbeat("2"))}
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				stream := client.AgentEvents(ctx, nil)
				given := 0
				for _, err := range stream.All() {
					if err != nil {
						if !errors.Is(err, test.want) {
							t.Error(err)
						}
						break
					}
					given++
					test.end(client, stream, cancel)
				}
				if given != 1 {
					t.Error("it went on after its end")
				}
				if reading() {
					t.Error("a goroutine is left")
				}
			})
		})
	}
}

func TestLeavingTheLoopLeavesNothingBehind(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.connections = []connectionOf{sends(hangs, heartbeat("1"), heartbeat("2"))}
		stream := client.AgentEvents(context.Background(), nil)
		for range stream.All() {
			if !reading() {
				t.Error("this test cannot see the goroutine")
			}
			break
		}
		if reading() {
			t.Error("a goroutine is left")
		}
		if cursors, err := taken(stream, 1); cursors != "" || err != nil {
			t.Error("a second iteration gives", cursors, err)
		}
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAStreamThatWasClosedBeforeGivesNothing(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		stream := client.AgentEvents(context.Background(), nil)
		_ = stream.Close()
		if cursors, err := taken(stream, 1); cursors != "" || err != nil || len(fake.requests) != 0 {
			t.Error(cursors, err)
		}
		_ = client.Close()
		if _, err := taken(client.AgentEvents(context.Background(), nil), 1); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}

// place records what hooks are asked.
type place struct {
	loaded string
	saved  []string
	fail   error
}

func (p *place) hooks() StreamOption {
	return WithCursor(
		func(context.Context) ([]byte, error) { return []byte(p.loaded), p.fail },
		func(ctx context.Context, cursor []byte) error {
			p.saved = append(p.saved, string(cursor))
			// Also after the stream's end, a hook needs a context that it can work with.
			return ctx.Err()
		},
	)
}

func TestACursorIsSavedWhenTheLoopComesBack(t *testing.T) {
	cases := []struct {
		name   string
		at     func(cursor string, stream *EventStream) (leave bool)
		loaded string
		saved  string
	}{
		{"leaving the loop saves nothing of the response at hand", func(cursor string, _ *EventStream) bool { return cursor == "3" }, "", "1 2"},
		{"closing the stream and coming back does", func(cursor string, stream *EventStream) bool {
			if cursor == "3" {
				_ = stream.Close()
			}
			return false
		}, "", "1 2 3"},
		{"what was loaded is where it starts", func(string, *EventStream) bool { return true }, "0", ""},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			withFake(t, func(t *testing.T, fake *fake, client *Client) {
				fake.connections = []connectionOf{sends(hangs, heartbeat("1"), heartbeat("2"), heartbeat("3"), heartbeat("4"))}
				place := place{loaded: test.loaded}
				stream := client.AgentEvents(context.Background(), &pb.AgentEventsRequest{
					Start: &pb.AgentEventsRequest_Cursor{Cursor: []byte("given")},
				}, place.hooks())
				for response, err := range stream.All() {
					if err != nil {
						t.Fatal(err)
					}
					if test.at(string(response.GetCursor()), stream) {
						break
					}
				}
				if saved := strings.Join(place.saved, " "); saved != test.saved {
					t.Error("saved", saved)
				}
				want := test.loaded
				if want == "" {
					want = "given"
				}
				if start := string(fake.requests[0].GetCursor()); start != want {
					t.Error("it started at", start)
				}
			})
		})
	}
}

func TestHooksThatFailEndTheIteration(t *testing.T) {
	broken := errors.New("the disk is full")
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.connections = []connectionOf{sends(hangs, heartbeat("1"), heartbeat("2"))}
		place := place{fail: broken}
		if cursors, err := taken(client.AgentEvents(context.Background(), nil, place.hooks()), 2); cursors != "" || !errors.Is(err, broken) {
			t.Error(cursors, err)
		}
		save := func(context.Context, []byte) error { return broken }
		if cursors, err := taken(client.AgentEvents(context.Background(), nil, WithCursor(nil, save)), 2); cursors != "1" || !errors.Is(err, broken) {
			t.Error(cursors, err)
		}
		if _, err := taken(client.SubscriptionEvents(context.Background(), "orders", "", place.hooks()), 1); err == nil || errors.Is(err, broken) {
			t.Error("with a subscription:", err)
		}
	})
}
