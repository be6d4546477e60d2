package chatbridge

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

func TestAStreamGoesOnBehindTheLastResponseThatItReceived(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.connections = []connectionOf{
			sends(fails(failure(codes.Unavailable, "DRAINING")), heartbeat("1"), heartbeat("2")),
			sends(hangs, heartbeat("3")),
		}
		request := &pb.AgentEventsRequest{
			ConversationIds: []string{"c1"},
			Start:           &pb.AgentEventsRequest_Position{Position: pb.StartPosition_START_POSITION_EARLIEST},
		}
		stream := client.AgentEvents(context.Background(), request)
		if cursors, err := taken(stream, 3); cursors != "1 2 3" || err != nil {
			t.Fatal(cursors, err)
		}
		if first := fake.requests[0]; first.GetPosition() != pb.StartPosition_START_POSITION_EARLIEST {
			t.Error("the first connection starts at", first.GetStart())
		}
		if second := fake.requests[1]; string(second.GetCursor()) != "2" || len(second.GetConversationIds()) != 1 {
			t.Error("the second connection asks for", second)
		}
		if request.GetCursor() != nil {
			t.Error("the caller's request was changed")
		}
		if cursor := string(stream.Cursor()); cursor != "3" {
			t.Error("the stream is at", cursor)
		}
	})
}

func TestASubscriptionIsOpenedAgainAsItWas(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.connections = []connectionOf{sends(nil, heartbeat("1")), sends(hangs, heartbeat("2"))}
		stream := client.SubscriptionEvents(context.Background(), "orders", "worker-1")
		if cursors, err := taken(stream, 2); cursors != "1 2" || err != nil {
			t.Fatal(cursors, err)
		}
		again := fake.requests[1]
		if again.GetStart() != nil || again.GetSubscription() != "orders" || again.GetMemberName() != "worker-1" {
			t.Error("the second connection asks for", again)
		}
	})
}

func TestWhatIsABreakAndWhatIsAnError(t *testing.T) {
	cases := []struct {
		name   string
		breaks error
		raised bool
	}{
		{"nobody is there", failure(codes.Unavailable, ""), false},
		{"the service drains", failure(codes.Unavailable, "DRAINING"), false},
		{"closed without an ending", nil, false},
		{"too many streams, with a wait", failure(codes.ResourceExhausted, "STREAM_LIMIT", retryInfo(time.Second)), false},
		{"too many streams", failure(codes.ResourceExhausted, "STREAM_LIMIT"), true},
		{"a proxy's reset", failure(codes.Internal, ""), false},
		{"a proxy's page", failure(codes.Unknown, ""), false},
		{"a proxy's cancellation", failure(codes.Canceled, ""), false},
		{"a proxy's deadline", failure(codes.DeadlineExceeded, ""), false},
		{"the store is corrupt", failure(codes.Internal, "STORE_CORRUPT"), true},
		{"a field is wrong", failure(codes.InvalidArgument, "INVALID_FIELD"), true},
		{"no rights", failure(codes.PermissionDenied, "TENANT_DENIED"), true},
		{"a fixed token is refused", failure(codes.Unauthenticated, "CREDENTIALS_INVALID"), true},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			withFake(t, func(t *testing.T, fake *fake, client *Client) {
				fake.connections = []connectionOf{
					sends(fails(test.breaks), heartbeat("1")),
					sends(hangs, heartbeat("2")),
				}
				cursors, err := taken(client.AgentEvents(context.Background(), nil), 2)
				if !test.raised && (cursors != "1 2" || err != nil) {
					t.Error(cursors, err)
				}
				if known := (*Error)(nil); test.raised && (cursors != "1" || !errors.As(err, &known)) {
					t.Error(cursors, err)
				}
			}, WithToken("fixed"))
		})
	}
}

func TestARefusedTokenIsAskedForAgainThreeTimes(t *testing.T) {
	asked := 0
	source := func(context.Context) (string, error) {
		asked++
		return strconv.Itoa(asked), nil
	}
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		refused := fails(failure(codes.Unauthenticated, "CREDENTIALS_EXPIRED"))
		fake.connections = []connectionOf{refused, refused, sends(refused, heartbeat("1")), refused}
		cursors, err := taken(client.AgentEvents(context.Background(), nil), 2)
		if known := (*Error)(nil); cursors != "1" || !errors.As(err, &known) || known.Reason != "CREDENTIALS_EXPIRED" {
			t.Fatal(cursors, err)
		}
		// Three before the response, which makes the count start over, and three more after the one that ended that connection.
		if tokens := strings.Join(fake.tokens, " "); tokens != "Bearer 1 Bearer 2 Bearer 3 Bearer 4 Bearer 5 Bearer 6" {
			t.Error(tokens)
		}
	}, WithTokenSource(source))
}

func TestAFailingTokenSourceEndsTheIteration(t *testing.T) {
	broken := errors.New("the issuer is away")
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		if _, err := taken(client.AgentEvents(context.Background(), nil), 1); !errors.Is(err, broken) {
			t.Error(err)
		}
	}, WithTokenSource(func(context.Context) (string, error) { return "", broken }))
}

func TestEndings(t *testing.T) {
	cases := []struct {
		name              string
		ending            *pb.Ending
		atLeast, lessThan time.Duration
	}{
		{"now", &pb.Ending{Reconnect: pb.ReconnectAdvice_RECONNECT_ADVICE_NOW}, 0, 201 * time.Millisecond},
		{"later", &pb.Ending{
			Reconnect:  pb.ReconnectAdvice_RECONNECT_ADVICE_LATER,
			RetryAfter: durationpb.New(time.Minute),
		}, time.Minute, time.Minute + 201*time.Millisecond},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			withFake(t, func(t *testing.T, fake *fake, client *Client) {
				fake.connections = []connectionOf{
					sends(hangs, heartbeat("1"), ending("2", test.ending)),
					sends(hangs, heartbeat("3")),
				}
				if cursors, err := taken(client.AgentEvents(context.Background(), nil), 3); cursors != "1 2 3" || err != nil {
					t.Fatal(cursors, err)
				}
				if waited := fake.times[1].Sub(fake.times[0]); waited < test.atLeast || waited >= test.lessThan {
					t.Error("it waited", waited)
				}
			})
		})
	}
}

func TestAnEndingForGoodIsGivenAndThenRaised(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.connections = []connectionOf{sends(nil, ending("1", &pb.Ending{
			Reason:    pb.EndingReason_ENDING_REASON_TAKEN_OVER,
			Reconnect: pb.ReconnectAdvice_RECONNECT_ADVICE_NEVER,
		}))}
		cursors, err := taken(client.AgentEvents(context.Background(), nil), 2)
		var ended *StreamEndedError
		if cursors != "1" || !errors.As(err, &ended) {
			t.Fatal(cursors, err)
		}
		if ended.Ending.GetReason() != pb.EndingReason_ENDING_REASON_TAKEN_OVER {
			t.Error(ended.Ending)
		}
	})
}

func TestWithoutResume(t *testing.T) {
	never := &pb.Ending{Reconnect: pb.ReconnectAdvice_RECONNECT_ADVICE_NEVER}
	cases := []struct {
		name   string
		last   connectionOf
		raised codes.Code
	}{
		{"a break is raised", fails(failure(codes.Internal, "")), codes.Internal},
		{"so is a stream that just ends", nil, codes.Unavailable},
		{"an ending ends the iteration", sends(nil, ending("2", never)), codes.OK},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			withFake(t, func(t *testing.T, fake *fake, client *Client) {
				fake.connections = []connectionOf{sends(test.last, heartbeat("1"))}
				_, err := taken(client.AgentEvents(context.Background(), nil, WithoutResume()), 3)
				if status.Code(err) != test.raised {
					t.Error(err)
				}
				if len(fake.requests) != 1 {
					t.Error("it connected", len(fake.requests), "times")
				}
			})
		})
	}
}

func TestWaitsGrowAndStartOverAfterAConnectionThatHeld(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		away := fails(failure(codes.Unavailable, ""))
		for range 30 {
			fake.connections = append(fake.connections, away)
		}
		held := func(stream grpc.ServerStreamingServer[pb.AgentEventsResponse]) error {
			time.Sleep(6 * time.Second)
			return failure(codes.Unavailable, "")
		}
		fake.connections = append(fake.connections, sends(held, heartbeat("1")), sends(hangs, heartbeat("2")))
		if cursors, err := taken(client.AgentEvents(context.Background(), nil), 2); cursors != "1 2" || err != nil {
			t.Fatal(cursors, err)
		}
		longest := time.Duration(0)
		for i := range 30 {
			waited := fake.times[i+1].Sub(fake.times[i])
			longest = max(longest, waited)
			if bound := client.backoff.bound(i); waited > bound {
				t.Errorf("wait %d was %v, of at most %v", i, waited, bound)
			}
		}
		if longest < time.Second {
			t.Error("the waits do not grow: the longest was", longest)
		}
		if waited := fake.times[31].Sub(fake.times[30]) - 6*time.Second; waited > 200*time.Millisecond {
			t.Error("after a connection that held it waited", waited)
		}
	})
}

func TestASilentConnectionIsReplaced(t *testing.T) {
	cases := []struct {
		name       string
		connection connectionOf
		after      time.Duration
	}{
		{"from the beginning", hangs, 10 * time.Second},
		{"after a heartbeat", sends(hangs, heartbeat("1")), 40 * time.Second},
		{"after a heartbeat that says no interval", sends(hangs, &pb.AgentEventsResponse{
			Payload: &pb.AgentEventsResponse_Heartbeat{Heartbeat: &pb.Heartbeat{}},
		}), 40 * time.Second},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			withFake(t, func(t *testing.T, fake *fake, client *Client) {
				fake.connections = []connectionOf{test.connection, sends(hangs, heartbeat("new"))}
				for response, err := range client.AgentEvents(context.Background(), nil).All() {
					if err != nil {
						t.Fatal(err)
					}
					if string(response.GetCursor()) == "new" {
						break
					}
				}
				waited := fake.times[1].Sub(fake.times[0])
				if waited < test.after || waited > test.after+200*time.Millisecond {
					t.Error("it was given up after", waited)
				}
				if fake.dialled != 2 {
					t.Error("connections:", fake.dialled)
				}
			})
		})
	}
}

func TestTheApplicationMayTakeItsTime(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.connections = []connectionOf{sends(hangs, heartbeat("1"), heartbeat("2"), heartbeat("3"))}
		var cursors string
		for response, err := range client.AgentEvents(context.Background(), nil, WithBuffer(1)).All() {
			if err != nil {
				t.Fatal(err)
			}
			if cursors += string(response.GetCursor()); cursors == "123" {
				break
			}
			time.Sleep(5 * time.Minute)
		}
		if len(fake.requests) != 1 || fake.dialled != 1 {
			t.Error("connected", len(fake.requests), "times over", fake.dialled, "connections")
		}
	})
}

// countedStream counts what is received.
type countedStream struct {
	grpc.ClientStream
	received *atomic.Int64
}

func (s countedStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	s.received.Add(1)
	return err
}

func TestTheBufferIsBoundedAndNothingIsLost(t *testing.T) {
	const all, buffer = 500, 8
	var received atomic.Int64
	counts := grpc.WithChainStreamInterceptor(func(
		ctx context.Context, description *grpc.StreamDesc, channel *grpc.ClientConn, method string,
		streamer grpc.Streamer, options ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		stream, err := streamer(ctx, description, channel, method, options...)
		return countedStream{stream, &received}, err
	})
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		var responses []*pb.AgentEventsResponse
		for i := range all {
			responses = append(responses, heartbeat(strconv.Itoa(i)))
		}
		fake.connections = []connectionOf{sends(hangs, responses...)}
		next := 0
		for response, err := range client.AgentEvents(context.Background(), nil, WithBuffer(buffer)).All() {
			if err != nil {
				t.Fatal(err)
			}
			if cursor := string(response.GetCursor()); cursor != strconv.Itoa(next) {
				t.Fatal("after", next, "came", cursor)
			}
			// In the bubble, everything else has come to rest when this ends.
			time.Sleep(time.Second)
			if next++; received.Load() > int64(next+buffer) {
				t.Fatal("the application has", next, "and of the stream was read", received.Load())
			}
			if next == all {
				break
			}
		}
		if received.Load() < all {
			t.Error("counted", received.Load())
		}
	}, WithDialOptions(counts))
}

func TestAGap(t *testing.T) {
	gap := &pb.AgentEventsResponse{Cursor: []byte("gap"), Payload: &pb.AgentEventsResponse_Gap{Gap: &pb.Gap{}}}
	cases := []struct {
		name   string
		policy pb.GapPolicy
		last   connectionOf
		want   string
		raised bool
	}{
		{"fails as the service says", pb.GapPolicy_GAP_POLICY_FAIL, fails(failure(codes.OutOfRange, "CURSOR_GAP")), "gap", true},
		{"fails though the connection broke first", pb.GapPolicy_GAP_POLICY_UNSPECIFIED, fails(failure(codes.Unavailable, "")), "gap", true},
		{"is passed over", pb.GapPolicy_GAP_POLICY_EARLIEST, fails(failure(codes.Unavailable, "")), "gap 2", false},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			withFake(t, func(t *testing.T, fake *fake, client *Client) {
				fake.connections = []connectionOf{sends(test.last, gap), sends(hangs, heartbeat("2"))}
				cursors, err := taken(client.AgentEvents(context.Background(), &pb.AgentEventsRequest{GapPolicy: test.policy}), 2)
				if cursors != test.want {
					t.Error(cursors)
				}
				var known *Error
				if errors.As(err, &known) != test.raised || test.raised && known.Reason != "CURSOR_GAP" {
					t.Error(err)
				}
			})
		})
	}
}

func TestABreakIsToldOnceAndSaysNothingSecret(t *testing.T) {
	var log bytes.Buffer
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.connections = []connectionOf{
			sends(fails(failure(codes.Unavailable, "DRAINING")), heartbeat("cursor-1")),
			sends(hangs, heartbeat("cursor-2")),
		}
		if _, err := taken(client.AgentEvents(context.Background(), nil), 2); err != nil {
			t.Fatal(err)
		}
	}, WithToken("secret"), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	told := log.String()
	if strings.Count(told, "\n") != 1 || !strings.Contains(told, "DRAINING") || !strings.Contains(told, "wait=") {
		t.Error(told)
	}
	if strings.Contains(told, "secret") || strings.Contains(told, "cursor-") {
		t.Error(told)
	}
}
