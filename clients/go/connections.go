package chatbridge

import (
	"errors"
	"sync"

	"google.golang.org/grpc"
)

// connections has the channel that everything goes over. One on which a stream fell silent is replaced as a whole, since what
// is under it may be dead without gRPC knowing.
type connections struct {
	dial func() (*grpc.ClientConn, error)

	mu      sync.Mutex
	current *connection
	open    map[*connection]struct{}
	closed  bool
	// Of replaced ones that are being closed, which can take a moment where nothing answers.
	closing sync.WaitGroup
}

// connection is a channel with the number of those that use it.
type connection struct {
	*grpc.ClientConn
	users    int
	replaced bool
}

func newConnections(dial func() (*grpc.ClientConn, error)) (*connections, error) {
	made := &connections{dial: dial, open: map[*connection]struct{}{}}
	first, err := dial()
	if err != nil {
		return nil, err
	}
	made.use(first)
	return made, nil
}

func (c *connections) use(channel *grpc.ClientConn) {
	c.current = &connection{ClientConn: channel}
	c.open[c.current] = struct{}{}
}

// take is the channel to use now. Whoever takes it gives it back.
func (c *connections) take() (*connection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	c.current.users++
	return c.current, nil
}

func (c *connections) give(back *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	back.users--
	if back.replaced && back.users == 0 && !c.closed {
		c.discard(back)
	}
}

// replace makes a new channel the current one, unless somebody else did so already. Calls that are under way over the old one
// go on.
func (c *connections) replace(silent *connection) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.current != silent {
		return nil
	}
	fresh, err := c.dial()
	if err != nil {
		return err
	}
	c.use(fresh)
	silent.replaced = true
	if silent.users == 0 {
		c.discard(silent)
	}
	return nil
}

// discard closes an old channel, beside whoever gave it back, because that may wait for the peer. Needs mu.
func (c *connections) discard(old *connection) {
	delete(c.open, old)
	c.closing.Go(func() { _ = old.Close() })
}

func (c *connections) close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	open := c.open
	c.open = nil
	c.mu.Unlock()
	var failed error
	for each := range open {
		failed = errors.Join(failed, each.Close())
	}
	c.closing.Wait()
	return failed
}
