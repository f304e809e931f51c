package jwks_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
)

// overTCP makes a set whose issuer is a real server on loopback, with the default client.
func overTCP(t *testing.T, handler http.HandlerFunc, config jwks.Config) *jwks.Set {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	config.URL = server.URL + "/keys"
	set, err := jwks.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return set
}

func TestOverTCP(t *testing.T) {
	set := overTCP(t, typed("application/json", goodSet), jwks.Config{})
	expectKey(t, set, "evil", "a set over TCP")
}

func TestBadAnswersOverTCP(t *testing.T) {
	elsewhere := httptest.NewServer(reply(200, goodSet))
	defer elsewhere.Close()
	stalled := make(chan struct{})
	defer close(stalled)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string
		timeout time.Duration
	}{
		"redirect to another port": {redirectAll(elsewhere.URL), "another origin", time.Minute},
		"redirect to another name": {redirectAll(strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)), "another origin", time.Minute},
		"cut off":                  {cutOff, "ended its answer early", time.Minute},
		"no HTTP":                  {raw("HELO " + marker + "\r\n\r\n"), "no valid HTTP answer", time.Minute},
		"hangs up":                 {raw(""), "ended its answer early", time.Minute},
		"8 MiB of blanks, zipped":  {zipBomb, "more than 1048576 bytes", time.Minute},
		"stalls in the body":       {stall(stalled), "within 200ms", 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			set := overTCP(t, c.handler, jwks.Config{Timeout: c.timeout})
			err := set.Refresh(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), marker) {
				t.Errorf("error %v, want one that says %q and nothing of the answer", err, c.says)
			}
		})
	}
}

func TestIssuerThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for scheme, says := range map[string]string{"http": "refused", "https": "refused"} {
		set, err := jwks.New(jwks.Config{URL: scheme + "://" + address + "/keys?key=" + marker})
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		err = set.Refresh(context.Background())
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), marker) {
			t.Errorf("error %v, want one that says %q and nothing of the query", err, says)
		}
	}
}

func TestCertificateIsChecked(t *testing.T) {
	server := httptest.NewUnstartedServer(reply(200, goodSet))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	plain := httptest.NewServer(reply(200, goodSet))
	defer plain.Close()
	for _, c := range []struct{ url, says string }{
		{server.URL, "certificate"},
		{strings.Replace(plain.URL, "http:", "https:", 1), "does not speak TLS"},
	} {
		set, err := jwks.New(jwks.Config{URL: c.url})
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		if err := set.Refresh(context.Background()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.url, err, c.says)
		}
	}
	trusting, err := jwks.New(jwks.Config{URL: server.URL, Client: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer trusting.Close()
	expectKey(t, trusting, "evil", "a client that trusts the certificate")
}

func redirectAll(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "10000")
	_, _ = fmt.Fprint(w, goodSet)
}

func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(answer))
		_ = conn.Close()
	}
}

func zipBomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	zipped := gzip.NewWriter(w)
	blanks := []byte(strings.Repeat(" ", 1<<20))
	for range 8 {
		if _, err := zipped.Write(blanks); err != nil {
			return
		}
	}
	_ = zipped.Close()
}

func stall(until chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, goodSet[:10])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-until:
		case <-r.Context().Done():
		}
	}
}
