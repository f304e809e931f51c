package edge_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/edge"
)

// TestListenAndServeIsStrict: net/http, whose server is embedded, would take a length beside chunks.
func TestListenAndServeIsStrict(t *testing.T) {
	w := newWorld(t, []edge.Route{public(newBackend(t, nil), "/x")}, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := w.gate.Server()
	server.Addr = l.Addr().String()
	if err := server.ListenAndServe(); err == nil || errors.Is(err, http.ErrServerClosed) {
		t.Errorf("where another listens: %v", err)
	}
	must(t, l.Close())
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }()
	var c net.Conn
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if c, err = net.Dial("tcp", server.Addr); err == nil || time.Now().After(deadline) {
			break
		}
	}
	must(t, err)
	must(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	must(t, err)
	if answer, err := io.ReadAll(c); err != nil || string(answer[:min(len(answer), 12)]) != "HTTP/1.1 400" {
		t.Errorf("got %q %v", answer, err)
	}
	_ = c.Close()
	must(t, server.Close())
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("ended with %v", err)
	}
}
