package app

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many clients are connected at once. Where one more comes, the connection that has waited longest without a
// request under way makes room for it, first among those that never had one: a flood of idle connections pushes itself out, and a
// client that sends its request is let in. Only where all are at work does a new one wait, in the backlog of the system.
type connections struct {
	most    int
	observe func(limit string)

	mu      sync.Mutex
	room    sync.Cond // a connection ended
	all     map[net.Conn]*connection
	waiting [2]*list.List // of *connection, the longest first: those that never had a request, and those that had
	closed  bool
}

// connection is one client. Its fields belong to connections.mu.
type connection struct {
	net.Conn
	place *list.Element // among those that wait; nil while a request is under way
	gone  bool
}

func newConnections(most int, observe func(string)) *connections {
	c := &connections{most: most, observe: observe, all: map[net.Conn]*connection{}, waiting: [2]*list.List{list.New(), list.New()}}
	c.room.L = &c.mu
	return c
}

// listen gives the listener of which no more than the bound are accepted.
func (c *connections) listen(l net.Listener) net.Listener { return &boundedListener{l, c} }

type boundedListener struct {
	net.Listener
	conns *connections
}

// Accept waits for a client, and then for room.
func (l *boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.conns.add(conn) {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close stops accepting.
func (l *boundedListener) Close() error {
	l.conns.mu.Lock()
	l.conns.closed = true
	l.conns.room.Broadcast()
	l.conns.mu.Unlock()
	return l.Listener.Close()
}

// add makes room for a connection and lets it wait for its first request; false says that no more are accepted.
func (c *connections) add(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.all) >= c.most && !c.closed && !c.evict() {
		c.room.Wait()
	}
	if c.closed {
		return false
	}
	client := &connection{Conn: conn}
	c.all[conn] = client
	client.place = c.waiting[0].PushBack(client)
	return true
}

// evict closes the connection that has waited longest, if any waits.
func (c *connections) evict() bool {
	for _, waiting := range c.waiting {
		if first := waiting.Front(); first != nil {
			client, _ := first.Value.(*connection)
			client.gone = true
			c.remove(client)
			_ = client.Close() // its goroutine ends by that
			c.observe("connections")
			return true
		}
	}
	return false
}

func (c *connections) remove(client *connection) {
	c.unqueue(client)
	delete(c.all, client.Conn)
	c.room.Signal()
}

func (c *connections) unqueue(client *connection) {
	if client.place == nil {
		return
	}
	for _, waiting := range c.waiting {
		waiting.Remove(client.place) // of the other list it is no element, and stays as it is
	}
	client.place = nil
}

// state is told what becomes of a connection; it is http.Server.ConnState.
func (c *connections) state(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if client := c.all[conn]; client != nil {
		c.remove(client)
	}
}

type connectionKey struct{}

// remember lets requests know their connection; it is http.Server.ConnContext.
func (c *connections) remember(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return context.WithValue(ctx, connectionKey{}, c.all[conn])
}

func connectionOf(ctx context.Context) *connection {
	client, _ := ctx.Value(connectionKey{}).(*connection)
	return client
}

// enter says that a request is under way; false, that the connection was closed just before.
func (c *connections) enter(client *connection) bool {
	if client == nil {
		return true // another listener's
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unqueue(client)
	return !client.gone
}

// exit says that it was answered: the connection waits for the next.
func (c *connections) exit(client *connection) {
	if client == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all[client.Conn] == client && client.place == nil {
		client.place = c.waiting[1].PushBack(client)
		c.room.Signal() // it can make room
	}
}
