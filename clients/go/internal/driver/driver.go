package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	chatbridge "github.com/chatbridge/chatbridge/clients/go"
	"github.com/chatbridge/chatbridge/clients/go/internal/driverpb"
)

// driver has the clients and streams that the runner opened, by the names that it gave them.
type driver struct {
	mu      sync.Mutex
	clients map[string]*client
	streams map[string]*stream
}

type client struct {
	*chatbridge.Client
	// What the token function gives; nil: the client has none.
	token *atomic.Pointer[string]
}

func newDriver() *driver {
	return &driver{clients: map[string]*client{}, streams: map[string]*stream{}}
}

func (d *driver) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, client := range d.clients {
		_ = client.Close()
	}
}

// begin does what takes no time, and gives what does the rest.
func (d *driver) begin(request *driverpb.Request) func() *driverpb.Response {
	switch command := request.GetCommand().(type) {
	case *driverpb.Request_OpenClient:
		return now(d.openClient(command.OpenClient))
	case *driverpb.Request_SetToken:
		return now(d.setToken(command.SetToken))
	case *driverpb.Request_OpenStream:
		return now(d.openStream(command.OpenStream))
	case *driverpb.Request_CloseClient:
		return d.with(command.CloseClient.GetClient(), func(client *client) *driverpb.Response {
			return done(client.Close())
		})
	case *driverpb.Request_Call:
		return d.with(command.Call.GetClient(), func(client *client) *driverpb.Response {
			return client.call(command.Call)
		})
	case *driverpb.Request_Iterate:
		return d.with(command.Iterate.GetClient(), func(client *client) *driverpb.Response {
			return client.iterate(command.Iterate)
		})
	case *driverpb.Request_Upload:
		return d.with(command.Upload.GetClient(), func(client *client) *driverpb.Response {
			return client.upload(command.Upload)
		})
	case *driverpb.Request_Download:
		return d.with(command.Download.GetClient(), func(client *client) *driverpb.Response {
			return client.download(command.Download)
		})
	case *driverpb.Request_HandOver:
		return d.with(command.HandOver.GetClient(), func(client *client) *driverpb.Response {
			return client.handOver(command.HandOver)
		})
	case *driverpb.Request_Commit:
		return d.with(command.Commit.GetClient(), func(client *client) *driverpb.Response {
			return client.commit(command.Commit)
		})
	case *driverpb.Request_Take:
		return d.withStream(command.Take.GetStream(), func(stream *stream) *driverpb.Response {
			return stream.take(command.Take)
		})
	case *driverpb.Request_Change:
		return d.withStream(command.Change.GetStream(), func(stream *stream) *driverpb.Response {
			return stream.change(command.Change)
		})
	case *driverpb.Request_CloseStream:
		return d.withStream(command.CloseStream.GetStream(), func(stream *stream) *driverpb.Response {
			return done(stream.end())
		})
	default:
		return now(failure(errors.New("the driver does not know this command")))
	}
}

func (d *driver) with(name string, do func(*client) *driverpb.Response) func() *driverpb.Response {
	d.mu.Lock()
	defer d.mu.Unlock()
	client, known := d.clients[name]
	if !known {
		return now(failure(fmt.Errorf("no client %q was opened", name)))
	}
	return func() *driverpb.Response { return do(client) }
}

func (d *driver) withStream(name string, do func(*stream) *driverpb.Response) func() *driverpb.Response {
	d.mu.Lock()
	defer d.mu.Unlock()
	stream, known := d.streams[name]
	if !known {
		return now(failure(fmt.Errorf("no stream %q was opened", name)))
	}
	return func() *driverpb.Response { return do(stream) }
}

func (d *driver) openClient(command *driverpb.OpenClient) *driverpb.Response {
	target := command.GetTarget()
	if targets := command.GetTargets(); len(targets) > 0 {
		target = strings.Join(targets, ",")
	}
	opened := &client{}
	options := []chatbridge.Option{chatbridge.WithTenant(command.GetTenant())}
	if command.GetToken() != "" {
		opened.token = &atomic.Pointer[string]{}
		opened.token.Store(&command.Token)
		options = append(options, chatbridge.WithTokenSource(func(context.Context) (string, error) {
			return *opened.token.Load(), nil
		}))
	}
	if command.GetTimeout() != nil {
		options = append(options, chatbridge.WithTimeout(command.GetTimeout().AsDuration()))
	}
	if attempts := command.GetAttempts(); attempts > 0 {
		options = append(options, chatbridge.WithAttempts(int(attempts)))
	}
	encryption, err := encryption(command)
	if err != nil {
		return failure(err)
	}
	opened.Client, err = chatbridge.New(target, append(options, encryption)...)
	if err != nil {
		return failure(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients[command.GetClient()] = opened
	return done(nil)
}

func encryption(command *driverpb.OpenClient) (chatbridge.Option, error) {
	if len(command.GetCaPem()) == 0 {
		return chatbridge.WithPlaintext(), nil
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(command.GetCaPem()) {
		return nil, errors.New("ca_pem has no certificate")
	}
	if len(command.GetCertificatePem()) > 0 {
		certificate, err := tls.X509KeyPair(command.GetCertificatePem(), command.GetKeyPem())
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return chatbridge.WithTLSConfig(config), nil
}

func (d *driver) setToken(command *driverpb.SetToken) *driverpb.Response {
	d.mu.Lock()
	defer d.mu.Unlock()
	client, known := d.clients[command.GetClient()]
	if !known || client.token == nil {
		return failure(fmt.Errorf("no client %q was opened with a token", command.GetClient()))
	}
	client.token.Store(&command.Token)
	return done(nil)
}

func (d *driver) openStream(command *driverpb.OpenStream) *driverpb.Response {
	d.mu.Lock()
	defer d.mu.Unlock()
	client, known := d.clients[command.GetClient()]
	if !known {
		return failure(fmt.Errorf("no client %q was opened", command.GetClient()))
	}
	opened, err := openStream(client, command)
	if err != nil {
		return failure(err)
	}
	d.streams[command.GetStream()] = opened
	return done(nil)
}
