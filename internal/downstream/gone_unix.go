//go:build unix

package downstream

import (
	"crypto/tls"
	"net"
	"syscall"
)

// isGone says whether the other end of a connection closed it, without waiting and without taking anything that it sent. A client
// that ended only its sending is taken for gone too, as net/http does.
func isGone(c net.Conn) (gone bool) {
	secured, _ := c.(*tls.Conn)
	if secured != nil {
		c = secured.NetConn()
	}
	with, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := with.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = err == nil && n == 0 || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
		if n > 0 && secured != nil {
			gone = endedSending(fd) // it says so in TLS before, which is what waits to be read
		}
	})
	return gone || err != nil
}
