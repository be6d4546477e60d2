package chatbridge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// fake is a service that does what a test says. It runs in the test's bubble, where time passes when everything waits, so
// nothing sleeps; and the bubble fails the test where a goroutine is left over.
type fake struct {
	pb.UnimplementedAgentEventServiceServer
	pb.UnimplementedAttachmentServiceServer
	pb.UnimplementedConversationServiceServer

	mu sync.Mutex
	// What each connection of a stream does, in turn; the last is for all that follow.
	connections []connectionOf
	// What they asked for, and when and with which token.
	requests []*pb.AgentEventsRequest
	times    []time.Time
	tokens   []string
	changes  []*pb.ChangeAgentEventsRequest
	change   func(*pb.ChangeAgentEventsRequest) (*pb.ChangeAgentEventsResponse, error)

	sendMessage func(ctx context.Context, request *pb.SendMessageRequest) (*pb.SendMessageResponse, error)
	listPages   []*pb.ListMessagesResponse
	listed      []*pb.ListMessagesRequest
	upload      func(grpc.ClientStreamingServer[pb.UploadAttachmentRequest, pb.UploadAttachmentResponse]) error
	handOver    func(grpc.ClientStreamingServer[pb.HandOverConversationRequest, pb.HandOverConversationResponse]) error
	download    func(grpc.ServerStreamingServer[pb.DownloadAttachmentResponse]) error

	// How often a client dialled.
	dialled int
}

type connectionOf func(stream grpc.ServerStreamingServer[pb.AgentEventsResponse]) error

// withFake runs a test against a fake, with a client of it.
func withFake(t *testing.T, test func(t *testing.T, fake *fake, client *Client), options ...Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fake := &fake{}
		client := fake.serve(t, options...)
		test(t, fake, client)
	})
}

// serve starts the fake and makes a client of it. Both end with the test.
func (f *fake) serve(t *testing.T, options ...Option) *Client {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	// By default a server of gRPC's takes the client's pings for an attack.
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second}))
	pb.RegisterAgentEventServiceServer(server, f)
	pb.RegisterAttachmentServiceServer(server, f)
	pb.RegisterConversationServiceServer(server, f)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	dialer := func(ctx context.Context, _ string) (net.Conn, error) {
		f.mu.Lock()
		f.dialled++
		f.mu.Unlock()
		return listener.DialContext(ctx)
	}
	client, err := New("passthrough:///fake", append([]Option{
		WithPlaintext(),
		WithLogger(slog.New(slog.DiscardHandler)),
		WithDialOptions(grpc.WithContextDialer(dialer)),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

func (f *fake) AgentEvents(
	request *pb.AgentEventsRequest, stream grpc.ServerStreamingServer[pb.AgentEventsResponse],
) error {
	f.mu.Lock()
	does := f.connections[min(len(f.requests), len(f.connections)-1)]
	f.requests = append(f.requests, request)
	f.times = append(f.times, time.Now())
	sent, _ := metadata.FromIncomingContext(stream.Context())
	f.tokens = append(f.tokens, strings.Join(sent.Get("authorization"), ", "))
	f.mu.Unlock()
	return does(stream)
}

func (f *fake) ChangeAgentEvents(
	_ context.Context, request *pb.ChangeAgentEventsRequest,
) (*pb.ChangeAgentEventsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = append(f.changes, request)
	return f.change(request)
}

func (f *fake) SendMessage(ctx context.Context, request *pb.SendMessageRequest) (*pb.SendMessageResponse, error) {
	return f.sendMessage(ctx, request)
}

func (f *fake) ListMessages(_ context.Context, request *pb.ListMessagesRequest) (*pb.ListMessagesResponse, error) {
	f.listed = append(f.listed, request)
	if len(f.listed) > len(f.listPages) {
		return nil, status.Error(codes.NotFound, "no such page")
	}
	return f.listPages[len(f.listed)-1], nil
}

func (f *fake) UploadAttachment(
	stream grpc.ClientStreamingServer[pb.UploadAttachmentRequest, pb.UploadAttachmentResponse],
) error {
	return f.upload(stream)
}

func (f *fake) HandOverConversation(
	stream grpc.ClientStreamingServer[pb.HandOverConversationRequest, pb.HandOverConversationResponse],
) error {
	return f.handOver(stream)
}

func (f *fake) DownloadAttachment(
	_ *pb.DownloadAttachmentRequest, stream grpc.ServerStreamingServer[pb.DownloadAttachmentResponse],
) error {
	return f.download(stream)
}

// sends is a connection that sends responses and then does as last does; nil: it ends well.
func sends(last connectionOf, responses ...*pb.AgentEventsResponse) connectionOf {
	return func(stream grpc.ServerStreamingServer[pb.AgentEventsResponse]) error {
		for _, response := range responses {
			if err := stream.Send(response); err != nil {
				return err
			}
		}
		if last == nil {
			return nil
		}
		return last(stream)
	}
}

// fails is a connection that breaks.
func fails(err error) connectionOf {
	return func(grpc.ServerStreamingServer[pb.AgentEventsResponse]) error { return err }
}

// hangs is a connection on which nothing more comes.
func hangs(stream grpc.ServerStreamingServer[pb.AgentEventsResponse]) error {
	<-stream.Context().Done()
	return stream.Context().Err()
}

func heartbeat(cursor string) *pb.AgentEventsResponse {
	return &pb.AgentEventsResponse{
		Cursor:  []byte(cursor),
		Payload: &pb.AgentEventsResponse_Heartbeat{Heartbeat: &pb.Heartbeat{Interval: durationpb.New(20 * time.Second)}},
	}
}

func ending(cursor string, ending *pb.Ending) *pb.AgentEventsResponse {
	return &pb.AgentEventsResponse{Cursor: []byte(cursor), Payload: &pb.AgentEventsResponse_Ending{Ending: ending}}
}

// failure is an error as the service makes it.
func failure(code codes.Code, reason string, details ...protoadapt.MessageV1) error {
	said := status.New(code, "a sentence")
	if reason != "" {
		info := &errdetails.ErrorInfo{Domain: "chatbridge", Reason: reason}
		details = append([]protoadapt.MessageV1{protoadapt.MessageV1Of(info)}, details...)
	}
	if said, err := said.WithDetails(details...); err == nil {
		return said.Err()
	}
	return said.Err()
}

func retryInfo(wait time.Duration) protoadapt.MessageV1 {
	return protoadapt.MessageV1Of(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
}

// taken ranges over a stream and gives the cursors of at most count responses, and what the iteration ended with.
func taken(stream *EventStream, count int) (cursors string, err error) {
	var all []string
	for response, err := range stream.All() {
		if err != nil {
			return strings.Join(all, " "), err
		}
		all = append(all, string(response.GetCursor()))
		if len(all) == count {
			break
		}
	}
	return strings.Join(all, " "), nil
}

// reading says whether a goroutine of a stream is there.
func reading() bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "chatbridge/clients/go.(*reader)")
}

// brokenReader fails after some bytes.
type brokenReader struct {
	io.Reader
	err error
}

func (r *brokenReader) Read(into []byte) (int, error) {
	read, err := r.Reader.Read(into)
	if errors.Is(err, io.EOF) {
		err = r.err
	}
	return read, err
}
