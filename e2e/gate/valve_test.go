package gate_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// valve is the network between a client and the gate. Each direction can be stopped, without either side being told.
type valve struct {
	address string
	up      *tap // client to gate
	down    *tap // gate to client

	mu   sync.Mutex
	live []net.Conn
}

// tap is a direction of a valve.
type tap struct {
	mu   sync.Mutex
	open chan struct{} // closed while bytes flow
}

func newTap() *tap {
	t := &tap{open: make(chan struct{})}
	close(t.open)
	return t
}

func (t *tap) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = make(chan struct{})
}

func (t *tap) resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.open:
	default:
		close(t.open)
	}
}

// wait returns when bytes may flow.
func (t *tap) wait() {
	t.mu.Lock()
	open := t.open
	t.mu.Unlock()
	<-open
}

// newValve leads to an address until the test ends.
func newValve(tb testing.TB, to string) *valve {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(tb)
	v := &valve{address: listener.Addr().String(), up: newTap(), down: newTap()}
	tb.Cleanup(func() {
		listener.Close()
		v.up.resume()
		v.down.resume()
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go v.carry(client, to)
		}
	}()
	return v
}

// cut breaks every connection off. New ones are accepted.
func (v *valve) cut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, conn := range v.live {
		conn.Close()
	}
	v.live = nil
}

func (v *valve) carry(client net.Conn, to string) {
	defer client.Close()
	v.mu.Lock()
	v.live = append(v.live, client)
	v.mu.Unlock()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.up.flow(server, client)
	}()
	v.down.flow(client, server)
	<-done
}

// flow copies until from ends, then says so to the other side.
func (t *tap) flow(to, from net.Conn) {
	buffer := make([]byte, 16<<10)
	for {
		t.wait()
		n, err := from.Read(buffer)
		t.wait()
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, from)
}
