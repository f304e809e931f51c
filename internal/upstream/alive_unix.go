//go:build unix

package upstream

import (
	"net"
	"syscall"
)

// aliveCheck returns a function that says whether an idle connection can be used: the backend has neither closed it nor sent
// anything, which would be taken for the answer to the next request. It costs one system call and does not wait.
func aliveCheck(c net.Conn) func() bool {
	conn, ok := c.(syscall.Conn)
	if !ok {
		return func() bool { return true }
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var alive bool
	var one [1]byte
	look := func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), one[:])
		alive = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	}
	return func() bool {
		alive = false
		return raw.Read(look) == nil && alive
	}
}
