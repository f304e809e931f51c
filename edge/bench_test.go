package edge_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
)

// BenchmarkHTTP compares the gate with httputil.ReverseProxy, both with a verified session token, and with no proxy at all. Client,
// proxy and server share the process: cpu-µs/op less that of "direct" is what the proxy costs.
func BenchmarkHTTP(b *testing.B) {
	backend := benchBackend(b)
	route := edge.Route{Name: "x", Path: "/x", Methods: []string{"GET"}, Backend: "http://" + backend, Who: edge.Session}
	w := newWorld(b, []edge.Route{route}, nil)
	guard, err := connect.New(connect.Config{Sessions: w.sessions})
	must(b, err)
	target, _ := url.Parse("http://" + backend)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
	peer := httptest.NewServer(guard.Require()(proxy))
	defer peer.Close()
	request := "GET /x HTTP/1.1\r\nHost: gate\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Bearer " + sessionToken(b, "ada") + "\r\n\r\n"
	b.Run("direct", func(b *testing.B) { benchRequests(b, backend, request) })
	b.Run("edge", func(b *testing.B) { benchRequests(b, w.address, request) })
	b.Run("ReverseProxy", func(b *testing.B) { benchRequests(b, peer.Listener.Addr().String(), request) })
}

// benchBackend answers every request with the same bytes.
func benchBackend(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	b.Cleanup(func() { _ = l.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n" + string(make([]byte, 100)))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 {
						if _, err := c.Write(answer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func benchRequests(b *testing.B, address, request string) {
	before := cpu()
	began := time.Now()
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		in := bufio.NewReader(conn)
		for pb.Next() {
			if _, err := io.WriteString(conn, request); err != nil {
				b.Error(err)
				return
			}
			if err := skipAnswer(in); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "req/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// skipAnswer reads an answer with as little work as can be, and holds it to be 200 with a length.
func skipAnswer(in *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && string(line[:12]) != "HTTP/1.1 200" {
			return http.ErrNotSupported
		}
		if len(line) > 16 && line[0] == 'C' && string(line[:16]) == "Content-Length: " {
			if length, err = strconv.Atoi(string(line[16 : len(line)-2])); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			_, err = in.Discard(length)
			return err
		}
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
