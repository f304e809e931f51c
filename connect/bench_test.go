package connect_test

import (
	"net/http"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
)

// BenchmarkRequire is the cost of the guard around a handler that does nothing, the verdict being cached: verification
// of the cached token and the ledger's answer included.
func BenchmarkRequire(b *testing.B) {
	w := newWorld(b)
	handler := w.guard(connect.Config{}).Require(connect.Scope("play"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := request("GET", "/", "Authorization: Bearer "+w.sessionToken())
	benchmark(b, handler, r)
}

// BenchmarkRequireNothing is the same with a verifier that costs nothing: the guard's own share.
func BenchmarkRequireNothing(b *testing.B) {
	w := newWorld(b)
	s := must(w.verifier.Verify(b.Context(), w.sessionToken()))(b)
	handler := w.guard(connect.Config{Sessions: fixed{s}}).Require(connect.Scope("play"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	benchmark(b, handler, request("GET", "/", "Authorization: Bearer "+w.sessionToken()))
}

func benchmark(b *testing.B, handler http.Handler, r *http.Request) {
	w := &discard{header: make(http.Header)}
	handler.ServeHTTP(w, r)
	if w.status != 0 {
		b.Fatalf("refused with %d", w.status)
	}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		handler.ServeHTTP(w, r)
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// The guard's own allocations are the context and the request that carries it.
func TestAllocations(t *testing.T) {
	w := newWorld(t)
	token := w.sessionToken()
	s := must(w.verifier.Verify(t.Context(), token))(t)
	handler := w.guard(connect.Config{Sessions: fixed{s}}).Require(connect.Scope("play"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := request("GET", "/", "Authorization: Bearer "+token)
	out := &discard{header: make(http.Header)}
	handler.ServeHTTP(out, r)
	run := func() {
		clear(out.header)
		handler.ServeHTTP(out, r)
	}
	if got := testing.AllocsPerRun(5000, run); got > 2 {
		t.Fatalf("%v allocations a request, want at most 2", got)
	}
}
