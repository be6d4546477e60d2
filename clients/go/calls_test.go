package chatbridge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

func TestACallIsRepeatedWithTheSameRequestID(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		var ids []string
		fake.sendMessage = func(_ context.Context, request *pb.SendMessageRequest) (*pb.SendMessageResponse, error) {
			ids = append(ids, request.GetRequestId())
			if len(ids) < 3 {
				return nil, status.Error(codes.Unavailable, "away")
			}
			return &pb.SendMessageResponse{}, nil
		}
		request := &pb.SendMessageRequest{ConversationId: "c1"}
		if _, err := client.SendMessage(context.Background(), request); err != nil {
			t.Fatal(err)
		}
		if len(ids) != 3 || ids[0] != ids[1] || ids[1] != ids[2] {
			t.Error(ids)
		}
		if id, err := uuid.Parse(ids[0]); err != nil || id.Version() != 4 {
			t.Error(ids[0], err)
		}
		if request.GetRequestId() != "" {
			t.Error("the caller's request was changed")
		}
	})
}

func TestWhatACallCarries(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		var sent metadata.MD
		var remaining time.Duration
		var tenant string
		fake.sendMessage = func(ctx context.Context, request *pb.SendMessageRequest) (*pb.SendMessageResponse, error) {
			sent, _ = metadata.FromIncomingContext(ctx)
			deadline, _ := ctx.Deadline()
			remaining, tenant = time.Until(deadline), request.GetTenant()
			return &pb.SendMessageResponse{}, nil
		}
		if _, err := client.SendMessage(context.Background(), &pb.SendMessageRequest{}); err != nil {
			t.Fatal(err)
		}
		if token := sent.Get("authorization"); len(token) != 1 || token[0] != "Bearer secret" {
			t.Error(token)
		}
		if agent := sent.Get("user-agent")[0]; !strings.HasPrefix(agent, "chatbridge-go/"+Version) {
			t.Error(agent)
		}
		if remaining < 14*time.Second || remaining > 15*time.Second || tenant != "t1" {
			t.Error(remaining, tenant)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := client.SendMessage(ctx, &pb.SendMessageRequest{Tenant: "t2"}); err != nil {
			t.Fatal(err)
		}
		if remaining < 59*time.Second || tenant != "t2" {
			t.Error("the caller's own:", remaining, tenant)
		}
		for _, format := range []string{"%v", "%+v", "%#v"} {
			if text := fmt.Sprintf(format, client) + fmt.Sprintf(format, client.transport); strings.Contains(text, "secret") {
				t.Error("printing the client shows its token")
			}
		}
	}, WithToken("secret"), WithTenant("t1"))
}

func TestTheDeadlineCoversAllAttempts(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		var made atomic.Int32
		fake.sendMessage = func(ctx context.Context, _ *pb.SendMessageRequest) (*pb.SendMessageResponse, error) {
			if made.Add(1) == 1 {
				time.Sleep(10 * time.Second)
				return nil, failure(codes.Unavailable, "DRAINING")
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		begun := time.Now()
		_, err := client.SendMessage(context.Background(), &pb.SendMessageRequest{})
		var read *Error
		if !errors.As(err, &read) || read.Code != codes.DeadlineExceeded || !read.OutcomeUnknown {
			t.Error(err)
		}
		if took := time.Since(begun); took < 14900*time.Millisecond || took > 15100*time.Millisecond || made.Load() != 2 {
			t.Error(took, made.Load())
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error("it does not tell of the context")
		}
	})
}

func TestAClosedClientMakesNoCall(t *testing.T) {
	withFake(t, func(t *testing.T, _ *fake, client *Client) {
		_ = client.Close()
		if _, err := client.SendMessage(context.Background(), &pb.SendMessageRequest{}); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}

func TestAListIsRangedOverPageAfterPage(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		message := func(id string) *pb.Message { return &pb.Message{Id: id} }
		fake.listPages = []*pb.ListMessagesResponse{
			{Messages: []*pb.Message{message("1"), message("2")}, NextPageToken: "a"},
			{NextPageToken: "b"},
			{Messages: []*pb.Message{message("3")}, NextPageToken: "c"},
		}
		request := &pb.ListMessagesRequest{ConversationId: "c1"}
		var ids []string
		var failed error
		for message, err := range client.AllMessages(context.Background(), request) {
			if err != nil {
				failed = err
				continue
			}
			ids = append(ids, message.GetId())
		}
		if all := strings.Join(ids, " "); all != "1 2 3" || status.Code(failed) != codes.NotFound {
			t.Error(all, failed)
		}
		last := fake.listed[3]
		if last.GetPageToken() != "c" || last.GetConversationId() != "c1" || last.GetPageSize() != 100 {
			t.Error(last)
		}
		if !proto.Equal(request, &pb.ListMessagesRequest{ConversationId: "c1"}) {
			t.Error("the caller's request was changed")
		}
	})
}

func TestALoopOverAListCanBeLeft(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.listPages = []*pb.ListMessagesResponse{{Messages: []*pb.Message{{}, {}}, NextPageToken: "a"}}
		for range client.AllMessages(context.Background(), nil) {
			break
		}
		if len(fake.listed) != 1 {
			t.Error("pages read:", len(fake.listed))
		}
	})
}

func TestTargets(t *testing.T) {
	cases := []struct {
		given     string
		name      string
		plaintext bool
		servers   string
		wrong     bool
	}{
		{given: "127.0.0.1:50051", name: "127.0.0.1:50051"},
		{given: "dns:///chat.internal:50051", name: "dns:///chat.internal:50051"},
		{given: "http://chat.internal:50051", name: "dns:///chat.internal:50051", plaintext: true},
		{given: "https://chat.internal/", name: "dns:///chat.internal:443"},
		{given: "http://[::1]", name: "dns:///[::1]:80", plaintext: true},
		{given: "a:1, b:2", name: "chatbridge-list:///a:1", servers: "a:1 b:2"},
		{given: "http://a:1,http://b", name: "chatbridge-list:///a:1", plaintext: true, servers: "a:1 b:80"},
		{given: "", wrong: true},
		{given: "a:1,", wrong: true},
		{given: "http://a/path", wrong: true},
		{given: "http://a:1,https://b:2", wrong: true},
	}
	for _, test := range cases {
		parsed, err := parseTarget(test.given)
		servers := ""
		if parsed.resolver != nil {
			servers = strings.Join(parsed.resolver.addresses, " ")
		}
		if (err != nil) != test.wrong || parsed.name != test.name || parsed.plaintext != test.plaintext || servers != test.servers {
			t.Errorf("%q: %+v %v", test.given, parsed, err)
		}
	}
}

func TestTargetAndOptionsAgreeOnEncryption(t *testing.T) {
	if _, err := New("https://chat.internal", WithPlaintext()); err == nil {
		t.Error("a target with https:// is not encrypted")
	}
	if _, err := New("http://chat.internal", WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS13})); err == nil {
		t.Error("a target with http:// has a TLS configuration")
	}
	for _, target := range []string{"http://chat.internal", "https://chat.internal", "chat.internal:443", "a:1,b:2"} {
		client, err := New(target)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestANilRequestIsAnEmptyOne(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.sendMessage = func(_ context.Context, request *pb.SendMessageRequest) (*pb.SendMessageResponse, error) {
			if request.GetRequestId() == "" || request.GetTenant() != "t1" {
				t.Error(request)
			}
			return &pb.SendMessageResponse{}, nil
		}
		if _, err := client.SendMessage(context.Background(), nil); err != nil {
			t.Error(err)
		}
	}, WithTenant("t1"))
}
