package wsrelay

import (
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// poller is the event loop of a group. Its epoll descriptor is itself registered with the runtime's poller, so that the
// loop's goroutine waits like any other: blocking in epoll_wait would have the scheduler wake every 20 µs to take the
// processor away from it. Sockets are registered edge-triggered, once, for everything.
type poller struct {
	file   *os.File
	fd     int
	buffer []byte
	done   sync.WaitGroup
}

const (
	maxEvents = 128
	// maxReads is how often a side is read before others have their turn.
	maxReads = 8

	edgeTriggered = 1 << 31 // syscall.EPOLLET is negative
	interest      = syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | edgeTriggered
	ends          = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
)

func (o *poller) start(g *group) error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // so that NewFile registers it
		syscall.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	o.fd, o.file = fd, os.NewFile(uintptr(fd), "epoll")
	o.buffer = make([]byte, readRoom)
	conn, err := o.file.SyscallConn()
	if err != nil {
		o.file.Close()
		o.file = nil
		return err
	}
	o.done.Go(func() { o.run(g, conn) })
	return nil
}

// stop ends the loop's goroutine.
func (o *poller) stop() {
	if o.file != nil {
		o.file.Close()
		o.done.Wait()
	}
}

func (o *poller) run(g *group, conn syscall.RawConn) {
	var events [maxEvents]syscall.EpollEvent
	conn.Read(func(fd uintptr) bool {
		for {
			n := epollWait(fd, events[:])
			if n > 0 {
				g.handle(events[:n])
			}
			if n < maxEvents {
				return false // the runtime's poller tells of the next
			}
		}
	})
}

// handle serves what is ready. An event may be older than the pipe that has its place by now: then it finds nothing to do.
func (g *group) handle(events []syscall.EpollEvent) {
	g.lock()
	defer g.unlock()
	for i := range events {
		e := &events[i]
		p, side := g.pipes[uint32(e.Fd)>>1], int(e.Fd&1)
		if p == nil || p.sides[side].stream != nil || p.sides[side].is(closed) {
			continue
		}
		p.ready(side, e.Events)
		p.settle()
	}
}

func (p *Pipe) ready(i int, events uint32) {
	s := &p.sides[i]
	if events&ends != 0 {
		s.set(hangup)
	}
	if s.out != nil && events&(syscall.EPOLLOUT|ends) != 0 {
		p.flush(i)
	}
	if events&(syscall.EPOLLIN|ends) != 0 {
		p.pump(i)
	}
}

// flush writes what is kept for a side.
func (p *Pipe) flush(i int) {
	s := &p.sides[i]
	n := p.write(i, s.out.b[s.out.at:])
	if !s.is(dead) {
		p.sent(i, n)
	}
}

// pump reads a side until it has no more, or the other side takes no more.
func (p *Pipe) pump(i int) {
	s := &p.sides[i]
	buffer := p.group.poll.buffer
	for range maxReads {
		if s.is(eof) {
			return
		}
		if p.held(i) {
			s.set(paused)
			return
		}
		n, errno := read(s.fd, buffer[headroom:])
		switch {
		case n > 0:
			p.take(i, buffer, n)
			if n < bufferSize && !s.is(hangup) {
				return // that was all, and the kernel tells of more
			}
		case errno == syscall.EAGAIN:
			return
		case errno != syscall.EINTR:
			s.set(eof)
			if errno != 0 {
				s.set(dead)
			}
			return
		}
	}
	p.group.poll.control(syscall.EPOLL_CTL_MOD, p, i)
}

// resume reads the sides again that were held and are no longer. It reports whether there were any.
func (p *Pipe) resume() bool {
	found := false
	for i := range p.sides {
		if s := &p.sides[i]; s.is(paused) && !p.held(i) {
			s.clear(paused)
			p.pump(i)
			found = true
		}
	}
	return found
}

// gather reads what has arrived, before an end.
func (p *Pipe) gather() {
	for i := range p.sides {
		if p.sides[i].stream == nil {
			p.pump(i)
		}
	}
}

// write gives bytes to the kernel, as many as it takes.
func (p *Pipe) write(i int, b []byte) int {
	s := &p.sides[i]
	if s.stream != nil {
		return 0
	}
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n)
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0
		default:
			p.broke(i)
			return 0
		}
	}
}

// shutdown sends a side the end of what it is sent.
func (p *Pipe) shutdown(i int) {
	if p.sides[i].stream != nil {
		p.startWriting(i)
		return
	}
	syscall.Shutdown(int(p.sides[i].fd), syscall.SHUT_WR)
}

// adopt takes the descriptors out of two connections of net, if they are plain ones. A descriptor is duplicated, because
// net lets go of one only by closing it.
func (o *poller) adopt(p *Pipe, halves *[2]Half) bool {
	if o.file == nil {
		return false
	}
	for i := range halves {
		fd := duplicate(halves[i].Conn)
		if fd < 0 {
			if i == backend {
				syscall.Close(int(p.sides[client].fd))
			}
			return false
		}
		p.sides[i].fd = int32(fd)
	}
	for i := range halves {
		halves[i].Conn.Close()
	}
	return true
}

func duplicate(conn net.Conn) int {
	var raw syscall.RawConn
	var err error
	switch c := conn.(type) {
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	default:
		return -1
	}
	if err != nil {
		return -1
	}
	copied := -1
	raw.Control(func(fd uintptr) {
		if n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0); errno == 0 {
			copied = int(n)
		}
	})
	return copied
}

// watch has the loop serve a pipe.
func (o *poller) watch(p *Pipe) {
	for i := range p.sides {
		if err := o.control(syscall.EPOLL_CTL_ADD, p, i); err != nil {
			p.closeSide(client, true)
			p.closeSide(backend, true)
			return
		}
	}
}

// control registers a side, or has the loop look at it again.
func (o *poller) control(op int, p *Pipe, i int) error {
	event := syscall.EpollEvent{Events: interest, Fd: int32(p.number<<1 | uint32(i))}
	return syscall.EpollCtl(o.fd, op, int(p.sides[i].fd), &event)
}

func closeDescriptor(fd int32, abort bool) {
	if abort {
		syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	}
	syscall.Close(int(fd))
}

// The two calls below cannot block: descriptors are non-blocking, and epoll_wait has no timeout. So the scheduler need
// not know of them.

func read(fd int32, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return -1, errno
	}
	return int(n), 0
}

func epollWait(fd uintptr, events []syscall.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

const notSentLowat = 25 // TCP_NOTSENT_LOWAT, which package syscall lacks

// limit bounds what the kernel holds for a connection: received and not read, or written and not sent.
func limit(conn net.Conn, bytes int) {
	c, ok := unwrap(conn).(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, bytes)
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, notSentLowat, bytes)
	})
}
