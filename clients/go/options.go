package chatbridge

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"google.golang.org/grpc"
)

// Option changes how a client is made.
type Option func(*options)

// TokenSource gives the caller's token that is good now. It is asked before each attempt of a call and each time that a stream
// connects, from several goroutines at once, so it should remember; it should end when ctx does. An empty token: none is sent.
type TokenSource func(ctx context.Context) (string, error)

type options struct {
	tenant          string
	token           TokenSource
	tokenChanges    bool
	tls             *tls.Config
	plaintext       bool
	timeout         time.Duration
	transferTimeout time.Duration
	attempts        int
	backoff         Backoff
	logger          *slog.Logger
	dial            []grpc.DialOption
}

func defaults() options {
	return options{timeout: 15 * time.Second, transferTimeout: 10 * time.Minute, attempts: 4}
}

// WithTenant sets the tenant of each request that names none. It is needed where the caller may use several.
func WithTenant(tenant string) Option {
	return func(o *options) { o.tenant = tenant }
}

// WithToken sets the token that the operator gave.
func WithToken(token string) Option {
	return func(o *options) {
		// In a function, no way of printing the client shows it.
		o.token = func(context.Context) (string, error) { return token, nil }
		o.tokenChanges = false
	}
}

// WithTokenSource sets a function that gives the token, as for web tokens that expire.
func WithTokenSource(source TokenSource) Option {
	return func(o *options) { o.token, o.tokenChanges = source, true }
}

// WithTLSConfig sets which authorities are trusted (RootCAs; nil: the system's) and the client's certificate (Certificates).
// Without it and [WithPlaintext] the connection is encrypted and the system's authorities are trusted.
func WithTLSConfig(config *tls.Config) Option {
	return func(o *options) { o.tls, o.plaintext = config.Clone(), false }
}

// WithPlaintext encrypts nothing: texts and tokens can be read on the way.
func WithPlaintext() Option {
	return func(o *options) { o.plaintext, o.tls = true, nil }
}

// WithTimeout sets the deadline of calls whose context has none, over all attempts. Default: 15 s.
func WithTimeout(timeout time.Duration) Option {
	return func(o *options) { o.timeout = timeout }
}

// WithTransferTimeout sets the deadline of calls that carry files and whose context has none. Default: 10 min.
func WithTransferTimeout(timeout time.Duration) Option {
	return func(o *options) { o.transferTimeout = timeout }
}

// WithAttempts sets how often a call is made at most, where repeating it is safe. Default: 4; 1: never again.
func WithAttempts(attempts int) Option {
	return func(o *options) { o.attempts = max(attempts, 1) }
}

// WithBackoff sets how long streams wait before they connect again.
func WithBackoff(backoff Backoff) Option {
	return func(o *options) { o.backoff = backoff }
}

// WithLogger sets what is told of breaks of streams, with why and how long the stream waits: no token, text or cursor. Default:
// [slog.Default].
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) { o.logger = logger }
}

// WithDialOptions adds gRPC's own options, which win over the client's.
func WithDialOptions(dial ...grpc.DialOption) Option {
	return func(o *options) { o.dial = append(o.dial, dial...) }
}
