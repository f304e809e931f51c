//go:build !linux

package wsrelay

import "net"

// poller is the event loop of a group. There is none on this system.
type poller struct{}

func (o *poller) start(*group) error { return nil }

func (o *poller) stop() {}

func (o *poller) adopt(*Pipe, *[2]Half) bool { return false }

func (o *poller) watch(*Pipe) {}

func (p *Pipe) resume() bool { return false }

func (p *Pipe) gather() {}

func (p *Pipe) write(int, []byte) int { return 0 }

func (p *Pipe) shutdown(i int) { p.startWriting(i) }

func closeDescriptor(int32, bool) {}

// limit bounds what the kernel holds for a connection.
func limit(conn net.Conn, bytes int) {
	if c, ok := unwrap(conn).(*net.TCPConn); ok {
		c.SetReadBuffer(bytes)
		c.SetWriteBuffer(bytes)
	}
}
