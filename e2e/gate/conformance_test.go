package gate_test

import (
	"bytes"
	"compress/flate"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/edge"
)

// dialogue is a case of the suite: what a client sends, and what it hears from a server that nothing stands before.
type dialogue struct {
	name   string
	offer  string   // of extensions
	pieces [][]byte // each is written by itself
	early  bool     // the first piece is in the packet of the handshake
	leaves bool     // the client half-closes when it has said all
	want   []string
}

// ended is what a client hears at last where the server ends the connection as it should.
const ended = "FIN"

func talk(format string, args ...any) *dialogue { return &dialogue{name: fmt.Sprintf(format, args...)} }

// send adds bytes that need no answer.
func (d *dialogue) send(pieces ...[]byte) *dialogue {
	d.pieces = append(d.pieces, pieces...)
	return d
}

// part adds a frame that needs no answer.
func (d *dialogue) part(first byte, payload string) *dialogue { return d.send(wire(first, payload)) }

// hears adds what the server says.
func (d *dialogue) hears(what ...string) *dialogue {
	d.want = append(d.want, what...)
	return d
}

// say adds a whole message, which comes back.
func (d *dialogue) say(first byte, payload string) *dialogue {
	return d.part(first, payload).hears(described(first, payload))
}

func (d *dialogue) ping(payload string) *dialogue {
	return d.part(fin|opPing, payload).hears(described(fin|opPong, payload))
}

// bye ends the case as two good peers do.
func (d *dialogue) bye() *dialogue {
	return d.part(fin|opClose, "\x03\xe8").hears("close 1000", ended)
}

// failed ends the case by what was sent already: the server closes.
func (d *dialogue) failed(code int) *dialogue {
	return d.hears(fmt.Sprintf("close %d", code), ended)
}

// together has all go in one piece, and chopped in pieces of n bytes.
func (d *dialogue) together() *dialogue {
	d.pieces = [][]byte{bytes.Join(d.pieces, nil)}
	return d
}

func (d *dialogue) chopped(n int) *dialogue {
	d.pieces = slices.Collect(slices.Chunk(bytes.Join(d.pieces, nil), n))
	return d
}

const fin, rsv1 = 0x80, 0x40 // of a frame's first byte, RFC 6455 section 5.2

// wire is a client's frame with the shortest length.
func wire(first byte, payload string) []byte {
	frame := head(0, len(payload), 0x80)
	frame[0] = first
	return appendMasked(frame, payload)
}

// wireIn is one with a length of 2 or 8 bytes, whatever it is.
func wireIn(size int, first byte, payload string) []byte {
	length := binary.BigEndian.AppendUint64(nil, uint64(len(payload)))
	frame := append([]byte{first, map[int]byte{2: 0x80 | 126, 8: 0x80 | 127}[size]}, length[8-size:]...)
	return appendMasked(frame, payload)
}

func appendMasked(frame []byte, payload string) []byte {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d} // as in RFC 6455 section 5.7
	frame = append(frame, key[:]...)
	for i := range len(payload) {
		frame = append(frame, payload[i]^key[i&3])
	}
	return frame
}

// described is a frame in words. Of a close frame the text is left out: it is for people.
func described(first byte, payload string) string {
	if first == fin|opClose {
		if len(payload) < 2 {
			return "close without a code"
		}
		return fmt.Sprintf("close %d", binary.BigEndian.Uint16([]byte(payload)))
	}
	if len(payload) > 64 {
		payload = fmt.Sprintf("%d bytes, CRC %08x", len(payload), crc32.ChecksumIEEE([]byte(payload)))
	}
	return fmt.Sprintf("%02x %q", first, payload)
}

// listens writes down what a server says until it ends the connection.
func (d *dialogue) listens(r *raw) (heard []string) {
	var window []byte
	for {
		first, payload, err := r.frame()
		if err != nil {
			return append(heard, lastWord(err))
		}
		if first&rsv1 != 0 && d.offer != "" {
			text, err := inflated(payload, window)
			if err != nil {
				return append(heard, "bad compression: "+err.Error())
			}
			window = append(window, text...)
			window, payload = window[max(0, len(window)-32<<10):], text
		}
		heard = append(heard, described(first, string(payload)))
	}
}

func lastWord(err error) string {
	var late net.Error
	switch {
	case err == io.EOF:
		return ended
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "FIN inside a frame"
	case errors.Is(err, syscall.ECONNRESET):
		return "RST"
	case errors.As(err, &late) && late.Timeout():
		return "nothing more, and the connection stays open"
	}
	return err.Error()
}

// inflated undoes permessage-deflate for a message (RFC 7692 section 7.2.2), after what the window holds.
func inflated(payload, window []byte) ([]byte, error) {
	whole := io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
	return io.ReadAll(flate.NewReaderDict(whole, window))
}

// conformanceWait is how long a silent server is listened to. Each case ends by itself.
const conformanceWait = 30 * time.Second

// entrance is how a client connects.
type entrance func() (net.Conn, error)

func overTCP(address string) entrance {
	return func() (net.Conn, error) { return net.DialTimeout("tcp", address, patience) }
}

// overTLS is to the same gate, which carries such sockets by goroutines and not by its event loop.
func (o *door) overTLS() entrance {
	lender := httptest.NewTLSServer(nil) // of its certificate
	defer lender.Close()
	server := o.gate.Server()
	server.TLSConfig = &tls.Config{Certificates: lender.TLS.Certificates}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(o.t)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.ServeTLS(listener)
	}()
	o.t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	roots := x509.NewCertPool()
	roots.AddCert(lender.Certificate())
	return func() (net.Conn, error) {
		dialer := &net.Dialer{Timeout: patience}
		return tls.DialWithDialer(dialer, "tcp", listener.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "example.com"})
	}
}

// entrances are all that lead to a gate.
func (o *door) entrances() map[string]entrance {
	return map[string]entrance{"TCP": overTCP(o.address), "TLS": o.overTLS()}
}

// join opens a socket and sends what shall be in the packet of the handshake.
func (e entrance) join(first []byte, lines ...string) (*raw, *http.Response, error) {
	conn, err := e()
	if err != nil {
		return nil, nil, err
	}
	r, response, err := greet(conn, append([]byte(handshake("/ws", lines...)), first...))
	if err == nil && response.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(response.Status)
	}
	if err == nil {
		err = r.SetDeadline(time.Now().Add(conformanceWait))
	}
	if err != nil {
		conn.Close()
	}
	return r, response, err
}

// run has the case with a server, or with the gate before it, and returns what the client heard.
func (d *dialogue) run(to entrance, lines ...string) ([]string, error) {
	if d.offer != "" {
		lines = append(lines, "Sec-WebSocket-Extensions: "+d.offer)
	}
	var first []byte
	pieces := d.pieces
	if d.early {
		first, pieces = pieces[0], pieces[1:]
	}
	r, response, err := to.join(first, lines...)
	if err != nil {
		return nil, err
	}
	said, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(said)
		speak(r, pieces, over)
		if d.leaves {
			_ = r.Conn.(interface{ CloseWrite() error }).CloseWrite()
		}
	}()
	heard := d.listens(r)
	close(over)
	r.Close()
	<-said
	if d.offer != "" {
		heard = slices.Insert(heard, 0, response.Header.Get("Sec-WebSocket-Extensions"))
	}
	return heard, nil
}

// speak writes the pieces a moment apart, so that they mostly arrive as pieces, until the other end has heard enough.
func speak(r *raw, pieces [][]byte, over <-chan struct{}) {
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for i, piece := range pieces {
		if i > 0 {
			select {
			case <-pace.C:
			case <-over:
				return
			}
		}
		if _, err := r.Write(piece); err != nil {
			return
		}
	}
}

// difference is what a client hears through the gate that it would not hear without.
type difference struct {
	gate []string
	why  string
}

const (
	whyMinimal = "ws takes a length that is not in its shortest encoding; RFC 6455 section 5.2 demands the shortest, and two readings of one frame are no good before a server that may read it otherwise"
	whyTopBit  = "ws answers a length that no frame can have (RFC 6455 section 5.2) as one that is too big for it"
	whySize    = "the route's MaxMessage, 1 MiB by default"
	whyRate    = "the route's MaxRate and Burst, 400 frames at once by default"
	whyLost    = "a server that leaves without a word is lost, and the client is told so; the peers leave it with 1006"
)

// differences are all that there are, by the name of the case.
func differences() map[string]difference {
	found := make(map[string]difference)
	for _, name := range notMinimal {
		found[name] = difference{[]string{"close 1002", ended}, whyMinimal}
	}
	for _, name := range topBit {
		found[name] = difference{[]string{"close 1002", ended}, whyTopBit}
	}
	found[tooLarge] = difference{[]string{"close 1009", ended}, whySize}
	found[tooManyParts] = difference{[]string{"close 1009", ended}, whySize}
	found[tooMany] = difference{[]string{"close 4429", ended}, whyRate}
	found[dies] = difference{[]string{"close 1011", ended}, whyLost}
	return found
}

// TestConformance has each case of the suite with a real server, and with the gate before it: a client cannot tell them
// apart, but by the differences that are listed above.
func TestConformance(t *testing.T) {
	t.Parallel()
	server := game(t, "plain")
	o := newDoor(t, plainKind, server, nil, unhurried)
	all, listed, entrances := dialogues(), differences(), o.entrances()
	var same, differ atomic.Int32
	t.Run("cases", func(t *testing.T) {
		for _, d := range all {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				direct, err := d.run(overTCP(server))
				if err != nil || !slices.Equal(direct, d.want) {
					t.Errorf("the server itself said %s, %v, want %s", brief(direct), err, brief(d.want))
				}
				count, want, why := &same, direct, "what the server itself said"
				if known, found := listed[d.name]; found {
					count, want, why = &differ, known.gate, known.why
				}
				for name, to := range entrances {
					d.compare(t, o, name, to, want, why)
				}
				if count == &differ && slices.Equal(want, direct) {
					t.Errorf("a listed difference is none any more: %s", why)
				}
				if !t.Failed() {
					count.Add(1)
				}
			})
		}
	})
	t.Logf("FIGURE conformance: %d cases over TCP and TLS, %d as the direct peer, %d listed differences", len(all), same.Load(), differ.Load())
	if int(differ.Load()) != len(listed) || len(all) < 251 {
		t.Errorf("%d of %d listed differences were seen, in %d cases; want all, in at least 251", differ.Load(), len(listed), len(all))
	}
}

// unhurried keeps the gate's own pings out of what is compared.
func unhurried(s *edge.SocketConfig) { s.PingEvery, s.PongWait = time.Hour, 2*time.Hour }

// compare has the case through the gate.
func (d *dialogue) compare(t *testing.T, o *door, name string, to entrance, want []string, why string) {
	var through []string
	var err error
	inTime(func() bool {
		_, token := o.buy(t, o.issuer, d.name+" over "+name)
		through, err = d.run(to, "Authorization: Bearer "+token)
		return err == nil && slices.Equal(through, want)
	})
	if err != nil || !slices.Equal(through, want) {
		t.Errorf("through the gate over %s: %s, %v, want %s: %s", name, brief(through), err, brief(want), why)
	}
}

// inTime tries a case again that did not go as it should and took longer than a gate waits for the last word of an end: what
// is heard on a machine that is too busy for that says nothing. A fault fails at once, or each time.
func inTime(try func() bool) {
	const wait = time.Second // wsrelay.Policy.CloseWait
	for range 5 {
		if began := time.Now(); try() || time.Since(began) < wait {
			return
		}
	}
}

// brief is what was heard, for a message.
func brief(heard []string) string {
	text := strings.Join(heard, " | ")
	if len(text) > 600 {
		text = text[:300] + " … " + text[len(text)-300:]
	}
	return "[" + text + "]"
}
