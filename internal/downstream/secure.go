package downstream

import (
	"crypto/tls"
	"errors"
	"io"
	"time"
)

// secure shakes hands on a connection of TLS, in the time of a head, and says whether it is this server's to serve.
func (c *conn) secure() bool {
	t, ok := c.net.(*tls.Conn)
	if !ok {
		return true
	}
	_ = t.SetWriteDeadline(time.Now().Add(orDefault(c.server.HeadTimeout, defaultHeadTimeout)))
	if err := t.Handshake(); err != nil {
		c.refuseHandshake(err)
		return false
	}
	_ = t.SetWriteDeadline(time.Time{})
	state := t.ConnectionState()
	if state.NegotiatedProtocol == "h2" {
		c.handOver(t)
		return false
	}
	c.blank.TLS = &state
	return true
}

func (c *conn) handOver(t *tls.Conn) {
	if c.server.HTTP2 == nil {
		return
	}
	c.response.taken = true
	_ = t.SetReadDeadline(time.Time{})
	c.server.forget(c) // before it is another's: Close must not find it here
	c.server.HTTP2(t)
}

// refuseHandshake notes a handshake that failed, and tells a client that speaks plaintext here what is wrong.
func (c *conn) refuseHandshake(err error) {
	c.server.logf("downstream: TLS handshake with %s: %v", c.remote, err)
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) && plain.Conn != nil {
		_, _ = io.WriteString(plain.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis address speaks HTTPS.\n")
	}
}
