package chatbridge

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

const (
	// A dead connection shows within 40 s even where no packet tells of it; idle clients send nothing.
	keepaliveAfter  = 30 * time.Second
	keepaliveWithin = 10 * time.Second
	// A page of 100 messages of 64 KiB each does not fit into gRPC's default of 4 MiB.
	responseMaxBytes = 16 << 20
	// gRPC's default of two minutes would outlast a restart of the server by far.
	reconnectAfter = 200 * time.Millisecond
	reconnectMax   = 5 * time.Second
	connectWithin  = 10 * time.Second

	serviceConfig = `{"loadBalancingConfig": [{"round_robin": {}}]}`
)

// Client calls a Chatbridge service. It has each RPC of the contract as a method: those of the embedded interfaces, and in place
// of the streamed ones [Client.AgentEvents], [Client.HandOverConversation], [Client.UploadAttachment] and
// [Client.DownloadAttachment]. Make one and share it: it is safe for concurrent use.
//
// Calls return *[Error]. A request without request_id, where it has that field, is sent with a new one. A call whose context has
// no deadline gets the client's, and is made again where that is safe.
type Client struct {
	pb.AgentEventServiceClient
	pb.AttachmentServiceClient
	pb.ConfigurationServiceClient
	pb.ConversationServiceClient
	pb.SessionServiceClient
	pb.SubscriptionServiceClient

	transport       *transport
	transferTimeout time.Duration
	tokenChanges    bool
	backoff         Backoff
	logger          *slog.Logger

	mu      sync.Mutex
	closed  bool
	streams map[*EventStream]struct{}
}

// New makes a client. It connects when it is first used.
//
// target is one of gRPC, such as 127.0.0.1:50051 or dns:///chatbridge.internal:50051 for a headless service; a list of
// HOST:PORT with commas between; or begins with http:// for what is not encrypted. Calls go to the addresses in turn.
func New(target string, opts ...Option) (*Client, error) {
	options := defaults()
	for _, option := range opts {
		option(&options)
	}
	parsed, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	if parsed.plaintext && options.tls != nil || parsed.encrypted && options.plaintext {
		return nil, fmt.Errorf("chatbridge: the target and the options differ over encryption")
	}
	dial := dialOptions(options, parsed)
	connections, err := newConnections(func() (*grpc.ClientConn, error) { return grpc.NewClient(parsed.name, dial...) })
	if err != nil {
		return nil, fmt.Errorf("chatbridge: %w", err)
	}
	transport := &transport{
		connections: connections,
		tenant:      options.tenant,
		token:       options.token,
		timeout:     options.timeout,
		attempts:    options.attempts,
	}
	logger := options.logger
	if logger == nil {
		logger = slog.Default()
	}
	return &Client{
		AgentEventServiceClient:    pb.NewAgentEventServiceClient(transport),
		AttachmentServiceClient:    pb.NewAttachmentServiceClient(transport),
		ConfigurationServiceClient: pb.NewConfigurationServiceClient(transport),
		ConversationServiceClient:  pb.NewConversationServiceClient(transport),
		SessionServiceClient:       pb.NewSessionServiceClient(transport),
		SubscriptionServiceClient:  pb.NewSubscriptionServiceClient(transport),
		transport:                  transport,
		transferTimeout:            options.transferTimeout,
		tokenChanges:               options.tokenChanges,
		backoff:                    options.backoff.withDefaults(),
		logger:                     logger,
		streams:                    map[*EventStream]struct{}{},
	}, nil
}

func dialOptions(options options, target target) []grpc.DialOption {
	dial := []grpc.DialOption{
		grpc.WithUserAgent("chatbridge-go/" + Version),
		grpc.WithDefaultServiceConfig(serviceConfig),
		// A service config from DNS would replace ours, and gRPC's own retries would come on top of the client's.
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(responseMaxBytes)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveAfter, Timeout: keepaliveWithin}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  reconnectAfter,
				Multiplier: backoff.DefaultConfig.Multiplier,
				Jitter:     backoff.DefaultConfig.Jitter,
				MaxDelay:   reconnectMax,
			},
			MinConnectTimeout: connectWithin,
		}),
	}
	if options.plaintext || target.plaintext {
		dial = append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))
	} else {
		config := options.tls
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		dial = append(dial, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	}
	if target.resolver != nil {
		dial = append(dial, grpc.WithResolvers(target.resolver))
	}
	return append(dial, options.dial...)
}

// Conn is for generated stubs of one's own: calls over it have tenant, token, deadline, attempts and errors as the client's
// methods have.
func (c *Client) Conn() grpc.ClientConnInterface {
	return c.transport
}

// Close ends the client's streams of events, whose iterations end without an error, and its connections. Calls that are under
// way fail.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	streams := slices.Collect(maps.Keys(c.streams))
	c.mu.Unlock()
	for _, stream := range streams {
		_ = stream.Close()
	}
	return c.transport.connections.close()
}

// add remembers a stream that begins, so that Close ends it; false: the client is closed.
func (c *Client) add(stream *EventStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.streams[stream] = struct{}{}
	}
	return !c.closed
}

func (c *Client) remove(stream *EventStream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams, stream)
}
