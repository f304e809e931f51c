package downstream_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/downstream"
)

// secured serves over TLS, and returns the address.
func secured(t *testing.T, s *downstream.Server) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	config := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h2", "http/1.1"},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(tls.NewListener(l, config)) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-served
	})
	return l.Addr().String()
}

func dialTLS(t *testing.T, address string, protocols ...string) *tls.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	must(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

func TestStrictOverTLS(t *testing.T) {
	address := secured(t, &downstream.Server{Reuse: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.RequestURI, " ", r.TLS != nil && r.TLS.HandshakeComplete)
	})})
	c := dialTLS(t, address, "http/1.1")
	for _, path := range []string{"/a", "/b"} {
		_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: gate\r\n\r\n")
		must(t, err)
		buffer := make([]byte, 1000)
		n, err := c.Read(buffer)
		must(t, err)
		if got := string(buffer[:n]); !strings.HasSuffix(got, "\r\n\r\n"+path+" true") {
			t.Errorf("got %q", got)
		}
	}
	_, err := io.WriteString(c, "POST /x HTTP/1.1\r\nHost: gate\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	must(t, err)
	if got, err := io.ReadAll(c); err != nil || !bytes.HasPrefix(got, []byte("HTTP/1.1 400 ")) {
		t.Errorf("got %q %v", got, err)
	}
}

func TestHTTP2IsHandedOver(t *testing.T) {
	taken := make(chan *tls.Conn, 1)
	s := &downstream.Server{Handler: http.NotFoundHandler(), HTTP2: func(c *tls.Conn) { taken <- c }}
	client := dialTLS(t, secured(t, s), "h2")
	must(t, client.Handshake())
	server := <-taken
	must(t, s.Close())
	go func() { _, _ = io.WriteString(server, "still here") }() // and not the server's to close
	buffer := make([]byte, 10)
	if _, err := io.ReadFull(client, buffer); err != nil || string(buffer) != "still here" {
		t.Errorf("got %q %v", buffer, err)
	}
	_ = server.Close()
}

func TestHTTP2WithoutAnybodyEnds(t *testing.T) {
	client := dialTLS(t, secured(t, &downstream.Server{Handler: http.NotFoundHandler()}), "h2")
	if n, err := client.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestPlaintextWhereTLSIsSpoken(t *testing.T) {
	var logged bytes.Buffer
	s := &downstream.Server{Handler: http.NotFoundHandler(), ErrorLog: log.New(&logged, "", 0)}
	got := ask(t, secured(t, s), "GET / HTTP/1.1\r\nHost: gate\r\n\r\n")
	must(t, s.Shutdown(t.Context()))
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.Contains(logged.String(), "TLS handshake with 127.0.0.1:") {
		t.Errorf("got %q, logged %q", got, &logged)
	}
}

// TestClientOfTLSThatLeaves: its last record waits to be read, so that only the state of TCP tells.
func TestClientOfTLSThatLeaves(t *testing.T) {
	entered, gone := make(chan struct{}), make(chan struct{})
	c := dialTLS(t, secured(t, &downstream.Server{Reuse: true, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(gone)
	})}))
	_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: gate\r\n\r\n")
	must(t, err)
	<-entered
	must(t, c.Close())
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("the request goes on")
	}
}

// TestHandlersThatStay has a handler look at its request when another one is served already, as behind http.TimeoutHandler.
func TestHandlersThatStay(t *testing.T) {
	seen, look := make(chan string), make(chan struct{})
	inner := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stays" {
			return
		}
		<-look
		_, err := r.Body.Read(make([]byte, 1))
		seen <- fmt.Sprint(r.RequestURI, " ", r.Header.Get("Authorization"), " ", r.URL.Path, " ", err != nil)
	})
	address := serve(t, &downstream.Server{Handler: http.TimeoutHandler(inner, 20*time.Millisecond, "late")})
	first := dial(t, address)
	first.send("GET /stays HTTP/1.1\r\nHost: gate\r\nAuthorization: alice\r\n\r\n")
	if answer, _ := first.answer("GET"); answer.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("got %d", answer.StatusCode)
	}
	for range 3 {
		first.send("GET /other HTTP/1.1\r\nHost: gate\r\nAuthorization: bob\r\n\r\n")
		_, _ = first.answer("GET")
		_ = ask(t, address, "GET /third HTTP/1.1\r\nHost: gate\r\nAuthorization: eve\r\nConnection: close\r\n\r\n")
	}
	close(look)
	if got, want := <-seen, "/stays alice /stays true"; got != want {
		t.Errorf("the handler sees %q, want %q", got, want)
	}
}
