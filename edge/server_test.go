package edge_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/edge"
)

const lengthBesideChunks = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"

// TestTLSIsStrictToo: behind a balancer that encrypts again, HTTP/1.1 comes over TLS, and net/http would take a length beside chunks.
func TestTLSIsStrictToo(t *testing.T) {
	w := newWorld(t, []edge.Route{public(newBackend(t, nil), "/x")}, nil)
	server := w.gate.Server()
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(l) }()
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	must(t, err)
	must(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, lengthBesideChunks)
	must(t, err)
	if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("got %q %v", answer, err)
	}
	_ = c.Close()
	must(t, server.Close())
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("ended with %v", err)
	}
}

func TestTLSAndPlaintextAreNotMixed(t *testing.T) {
	w := newWorld(t, []edge.Route{public(newBackend(t, nil), "/x")}, nil)
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		return l
	}
	if err := w.gate.Server().ServeTLS(listen()); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	l := listen()
	config := &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}
	served := make(chan error, 1)
	go func() { served <- w.gate.Server().Serve(tls.NewListener(l, config)) }()
	c, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer func() { _ = c.Close() }()
	if err := <-served; err == nil || errors.Is(err, http.ErrServerClosed) {
		t.Errorf("a listener of TLS: %v", err)
	}
}

// TestLateEndIsWritten: an answer may end long after its last piece, and the end of its chunks is written too.
func TestLateEndIsWritten(t *testing.T) {
	end := make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data")
		w.(http.Flusher).Flush()
		<-end
	})
	w := newWorld(t, []edge.Route{public(b, "/x", "GET")}, nil)
	recorder := &datedRecorder{header: http.Header{}, wrote: make(chan struct{}, 9)}
	done := make(chan struct{})
	r, err := http.NewRequest("GET", "/x", nil)
	must(t, err)
	r.RequestURI, r.Host, r.RemoteAddr = "/x", "gate", "127.0.0.1:1"
	go func() { defer close(done); w.gate.ServeHTTP(recorder, r) }()
	<-recorder.wrote
	before := recorder.last
	<-time.After(1100 * time.Millisecond) // the deadline is moved once a second
	close(end)
	<-done
	if !recorder.last.After(before) {
		t.Error("the end has the time of the last piece")
	}
}

// datedRecorder keeps the write deadline.
type datedRecorder struct {
	header http.Header
	last   time.Time
	wrote  chan struct{}
}

func (d *datedRecorder) Header() http.Header { return d.header }
func (d *datedRecorder) WriteHeader(int)     {}
func (d *datedRecorder) Write(p []byte) (int, error) {
	d.wrote <- struct{}{}
	return len(p), nil
}

func (d *datedRecorder) SetWriteDeadline(t time.Time) error {
	d.last = t
	return nil
}
