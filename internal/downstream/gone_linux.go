package downstream

import (
	"syscall"
	"unsafe"
)

// closeWait is the state of a TCP connection whose other end has sent its last (linux/tcp_states.h).
const closeWait = 8

// endedSending says whether the other end has sent its last, also where something before that was not read yet.
func endedSending(fd uintptr) bool {
	var info [8]byte // the beginning of struct tcp_info, which begins with the state
	size := uint32(len(info))
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
		uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	return errno == 0 && info[0] == closeWait
}
