package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

// answer is what every request gets. The backend does no more than it must, so that the proxies are what is measured.
var answer = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 128\r\n\r\n" + strings.Repeat("x", 128))

var headEnd = []byte("\r\n\r\n")

// serveBackend answers requests without a body, and echoes the messages of WebSockets.
func serveBackend(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			answerRequests(conn)
		}()
	}
}

func answerRequests(conn net.Conn) {
	buffer, have := make([]byte, 4096), 0
	for have < len(buffer) {
		n, err := conn.Read(buffer[have:])
		if err != nil {
			return
		}
		have += n
		end := bytes.Index(buffer[:have], headEnd)
		if end < 0 {
			continue
		}
		if key := headerOf(buffer[:end], "sec-websocket-key: "); key != "" {
			if _, err := io.WriteString(conn, switching(key)); err == nil {
				newFrames(conn, buffer[:0], buffer[end+len(headEnd):have]).echo()
			}
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
		have = copy(buffer, buffer[end+len(headEnd):have])
	}
}

// headerOf returns the value of a header field, "" if there is none.
func headerOf(head []byte, name string) string {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(line) > len(name) && strings.EqualFold(string(line[:len(name)]), name) {
			return string(line[len(name):])
		}
	}
	return ""
}

// switching accepts a handshake (RFC 6455 section 4.2.2).
func switching(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

// frames reads whole frames from a connection.
type frames struct {
	conn   net.Conn
	buffer []byte // what was read and not used begins at `at`
	at     int
}

// newFrames takes what was read behind the handshake. room is memory to use.
func newFrames(conn net.Conn, room, early []byte) *frames {
	return &frames{conn: conn, buffer: append(room, early...)}
}

// next returns a frame: its header, and all of its bytes with the header.
func (f *frames) next() (wsframe.Header, []byte, error) {
	for {
		h, size, err := wsframe.Parse(f.buffer[f.at:])
		if err != nil {
			return h, nil, err
		}
		whole := size + int(h.Length)
		if size > 0 && len(f.buffer)-f.at >= whole {
			frame := f.buffer[f.at : f.at+whole]
			f.at += whole
			return h, frame, nil
		}
		if f.at > 0 {
			f.buffer = f.buffer[:copy(f.buffer, f.buffer[f.at:])]
			f.at = 0
		}
		if room := max(whole, 4096); cap(f.buffer) < room {
			f.buffer = append(make([]byte, 0, room), f.buffer...)
		}
		n, err := f.conn.Read(f.buffer[len(f.buffer):cap(f.buffer)])
		if n == 0 && err != nil {
			return h, nil, err
		}
		f.buffer = f.buffer[:len(f.buffer)+n]
	}
}

// echo sends every message back, until the client is gone.
func (f *frames) echo() {
	for {
		h, frame, err := f.next()
		if err != nil {
			return
		}
		payload := frame[len(frame)-int(h.Length):]
		if h.Masked {
			wsframe.Mask(payload, h.Mask, 0)
			h.Masked = false
		}
		if h.Opcode == wsframe.Ping {
			h.Opcode = wsframe.Pong
		}
		head := len(h.Append(nil))
		whole := frame[len(frame)-len(payload)-head:]
		h.Append(whole[:0]) // the header without a mask is shorter, so it has room before the payload
		if _, err := f.conn.Write(whole); err != nil || h.Opcode == wsframe.Close {
			return
		}
	}
}

// dial opens a WebSocket with a token.
func dial(address, token string) (*frames, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	request := "GET /ws HTTP/1.1\r\nHost: " + address + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		conn.Close()
		return nil, err
	}
	buffer, have := make([]byte, 1024), 0
	for {
		n, err := conn.Read(buffer[have:])
		have += n
		end := bytes.Index(buffer[:have], headEnd)
		switch {
		case end >= 0 && bytes.HasPrefix(buffer, []byte("HTTP/1.1 101 ")):
			return newFrames(conn, nil, buffer[end+len(headEnd):have]), nil
		case err != nil || end >= 0 || have == len(buffer):
			conn.Close()
			return nil, fmt.Errorf("the handshake was answered with %.30q (%v)", buffer[:have], err)
		}
	}
}
