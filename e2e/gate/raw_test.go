package gate_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// WebSocket opcodes, RFC 6455 section 5.2.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// handshake is a client's, RFC 6455 section 4.1.
func handshake(path string, lines ...string) string {
	head := "GET " + path + " HTTP/1.1\r\nHost: game.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, line := range lines {
		head += line + "\r\n"
	}
	return head + "\r\n"
}

// masked is a frame of a client with a mask of zeros, with which the payload is as it was.
func masked(op byte, payload string) []byte {
	frame := append(head(op, len(payload), 0x80), 0, 0, 0, 0)
	return append(frame, payload...)
}

// unmasked is a frame of a server.
func unmasked(op byte, payload []byte) []byte { return append(head(op, len(payload), 0), payload...) }

func head(op byte, length int, mask byte) []byte {
	switch {
	case length < 126:
		return []byte{0x80 | op, mask | byte(length)}
	case length < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{0x80 | op, mask | 126}, uint16(length))
	default:
		return binary.BigEndian.AppendUint64([]byte{0x80 | op, mask | 127}, uint64(length))
	}
}

// raw is a connection that speaks WebSocket as it is told to, from either side.
type raw struct {
	net.Conn
	lines *bufio.Reader
}

// dial sends the bytes at once and reads the answer's head.
func dial(address string, first []byte) (*raw, *http.Response, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, nil, err
	}
	return greet(conn, first)
}

// greet does so on a connection.
func greet(conn net.Conn, first []byte) (*raw, *http.Response, error) {
	r := &raw{conn, bufio.NewReaderSize(conn, 512)}
	if err := r.SetDeadline(time.Now().Add(patience)); err != nil {
		return r, nil, err
	}
	if _, err := r.Write(first); err != nil {
		return r, nil, err
	}
	response, err := http.ReadResponse(r.lines, nil)
	return r, response, err
}

// join opens a socket with a session token, and sends a message in the same packet.
func join(address, token string) (*raw, error) {
	first := append([]byte(handshake("/ws", "Authorization: Bearer "+token)), masked(opText, "hello")...)
	r, response, err := dial(address, first)
	if err == nil && response.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return r, err
}

// next reads a frame. The payload of a client is unmasked.
func (r *raw) next() (op byte, payload []byte, err error) {
	first, payload, err := r.frame()
	return first & 0x0f, payload, err
}

// frame reads a frame and returns its first byte as it is.
func (r *raw) frame() (first byte, payload []byte, err error) {
	var two [2]byte
	if _, err := io.ReadFull(r.lines, two[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(two[1] & 0x7f)
	if more := map[uint64]int{126: 2, 127: 8}[length]; more > 0 {
		var long [8]byte
		if _, err := io.ReadFull(r.lines, long[8-more:]); err != nil {
			return 0, nil, err
		}
		length = binary.BigEndian.Uint64(long[:])
	}
	var mask [4]byte
	if two[1]&0x80 != 0 {
		if _, err := io.ReadFull(r.lines, mask[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r.lines, payload)
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
	return two[0], payload, err
}

// message reads the next text frame and answers pings before it.
func (r *raw) message() (string, error) {
	for {
		op, payload, err := r.next()
		switch {
		case err != nil:
			return "", err
		case op == opText:
			return string(payload), nil
		case op == opPing:
			_, _ = r.Write(masked(opPong, string(payload)))
		case op == opClose:
			return "", fmt.Errorf("closed with %s", closing(payload))
		}
	}
}

// closed reads until the close frame and returns its code.
func (r *raw) closed() (code int, err error) {
	for {
		op, payload, err := r.next()
		if err != nil {
			return 0, err
		}
		if op == opPing {
			_, _ = r.Write(masked(opPong, string(payload)))
		}
		if op == opClose && len(payload) >= 2 {
			return int(binary.BigEndian.Uint16(payload)), nil
		}
	}
}

func closing(payload []byte) string {
	if len(payload) < 2 {
		return "no code"
	}
	return fmt.Sprintf("%d %q", binary.BigEndian.Uint16(payload), payload[2:])
}

// rawServer is a game server that does as a test says with each connection. It accepts the handshake of those that ask for
// one, and sends first in the same packet.
func rawServer(tb testing.TB, first []byte, serve func(*raw)) string {
	tb.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(tb)
	tb.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go accept(conn, first, serve)
		}
	}()
	return listener.Addr().String()
}

func accept(conn net.Conn, first []byte, serve func(*raw)) {
	defer conn.Close()
	r := &raw{conn, bufio.NewReaderSize(conn, 512)}
	request, err := http.ReadRequest(r.lines)
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455 section 1.3
	answer := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	if _, err := conn.Write(append([]byte(answer), first...)); err == nil {
		serve(r)
	}
}

// echo sends back what comes, and answers a close frame.
func echo(r *raw) {
	for {
		op, payload, err := r.next()
		if err != nil {
			return
		}
		if op == opPing {
			op = opPong
		}
		if _, err := r.Write(unmasked(op, payload)); err != nil || op == opClose {
			return
		}
	}
}
