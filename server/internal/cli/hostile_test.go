package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/cli"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
)

// patience is how long a test waits for something that takes seconds at most.
const patience = 30 * time.Second

// modes are what an issuer may do, with an expression for what the log says of it: to a server that has never had its keys,
// and to one that has. That one asks first where the discovery document said that the keys are, and then for the document.
var modes = map[string]struct{ cold, warm string }{
	"down":     {"answered HTTP 502 instead of 200", "answered HTTP 502 instead of 200"},
	"slow":     {"gave no full answer within 5s", "gave no full answer within 5s"},
	"huge":     {"answered more than 1048576 bytes", "answered more than 1048576 bytes"},
	"redirect": {"redirects to another origin, which is never followed", "redirects to another origin, which is never followed"},
	"html":     {"the answer is no provider configuration", "the answer is no (JWK Set|provider configuration)"},
	"lying":    {"the document is not of the issuer", "answered HTTP 404 instead of 200|the document is not of the issuer"},
}

// hostile is an issuer that begins to misbehave, and what it would have the server believe: the keys of a stranger.
type hostile struct {
	*httptest.Server
	stranger *httptest.Server
	mode     atomic.Value
	known    *jws.Signer
	unknown  *jws.Signer
}

func newHostile(t *testing.T, mode string) *hostile {
	h := &hostile{known: newSigner(t, "p256-1"), unknown: newSigner(t, "p256-2")}
	h.mode.Store(mode)
	h.Server = httptest.NewServer(http.HandlerFunc(h.answer))
	t.Cleanup(h.Close)
	h.stranger = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.good(w, r, h.URL, h.unknown) }))
	t.Cleanup(h.stranger.Close)
	return h
}

func newSigner(t *testing.T, name string) *jws.Signer {
	t.Helper()
	s, err := jws.NewSigner(name, testvectors.PrivateKey(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (h *hostile) answer(w http.ResponseWriter, r *http.Request) {
	switch h.mode.Load() {
	case "down":
		w.WriteHeader(http.StatusBadGateway)
	case "slow":
		_, _ = io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case "huge":
		_, _ = io.WriteString(w, strings.Repeat(" ", 2<<20))
		h.good(w, r, h.URL, h.unknown)
	case "redirect":
		http.Redirect(w, r, h.stranger.URL+r.URL.Path, http.StatusFound)
	case "html":
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Sign in</title>")
	case "lying":
		if r.URL.Path == "/keys" {
			http.NotFound(w, r)
			return
		}
		h.good(w, r, h.stranger.URL, h.unknown)
	default:
		h.good(w, r, h.URL, h.known)
	}
}

// good answers as the issuer at a URL, with the key of a signer.
func (h *hostile) good(w http.ResponseWriter, r *http.Request, issuer string, key *jws.Signer) {
	if r.URL.Path != "/keys" {
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuer, issuer+"/keys")
		return
	}
	if set, err := jws.MarshalJWKSet(key.Key()); err == nil {
		_, _ = w.Write(set)
	}
}

// token is an identity token of the issuer, each with another id.
func (h *hostile) token(t *testing.T, s *jws.Signer, id int) string {
	t.Helper()
	now := time.Now().Unix()
	token, err := s.Sign("JWT", fmt.Appendf(nil, `{"iss":%q,"aud":"game","sub":"alice","jti":"%d","iat":%d,"exp":%d}`, h.URL, id, now, now+600))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// served is one run of the serve command.
type served struct {
	t    *testing.T
	url  string
	mu   sync.Mutex
	log  bytes.Buffer
	done chan int
	stop context.CancelFunc
}

func (s *served) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *served) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// startServe runs serve for the tokens of an issuer.
func startServe(t *testing.T, issuer string) *served {
	t.Helper()
	dir := t.TempDir()
	if err := keyfile.Create(filepath.Join(dir, "keys.json"), jws.EdDSA, time.Now()); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`issuer: https://auth.example.com
listen: 127.0.0.1:0
store: {type: memory}
issuers:
  - {type: oidc, realm: sso, issuer: %q, audiences: [game]}
sessions: {audiences: [{name: arena}], key_file: keys.json}
`, issuer)
	path := filepath.Join(dir, "sallyport.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, done: make(chan int, 1)}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() {
		s.done <- cli.Run(ctx, []string{"serve", "--config", path}, cli.Process{In: strings.NewReader(""), Out: s, Err: s, Env: os.LookupEnv, Now: time.Now})
	}()
	t.Cleanup(stop)
	address := regexp.MustCompile(`"msg":"serving","address":"([^"]+)"`)
	s.until(func() bool {
		if found := address.FindStringSubmatch(s.text()); found != nil {
			s.url = "http://" + found[1]
		}
		return s.url != ""
	})
	return s
}

// until waits for something.
func (s *served) until(reached func() bool) {
	s.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(patience)
	for !reached() {
		select {
		case <-ticker.C:
		case <-limit:
			s.t.Fatalf("not reached; log\n%s", s.text())
		}
	}
}

func (s *served) ready() (int, string) {
	s.t.Helper()
	answer, err := http.Get(s.url + "/readyz")
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, s.read(answer)
}

func (s *served) read(answer *http.Response) string {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Error(err)
	}
	return string(body)
}

// exchange asks for a session with identity tokens, all at once, and checks the status of each answer.
func (s *served) exchange(want int, tokens ...string) {
	s.t.Helper()
	var all sync.WaitGroup
	for _, token := range tokens {
		all.Go(func() {
			answer, err := http.PostForm(s.url+"/oauth2/token", url.Values{
				"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
				"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
				"subject_token":      {token},
			})
			if err != nil {
				s.t.Error(err)
				return
			}
			if body := s.read(answer); answer.StatusCode != want {
				s.t.Errorf("status %d, want %d: %s", answer.StatusCode, want, body)
			}
		})
	}
	all.Wait()
}

// once checks that the log says a thing once, and the reason with it, and that it holds no token.
func (s *served) once(said, reason string, tokens ...string) {
	s.t.Helper()
	s.until(func() bool { return strings.Contains(s.text(), said) })
	s.stop()
	if status := <-s.done; status != 0 {
		s.t.Errorf("exit status %d", status)
	}
	var lines []string
	for line := range strings.Lines(s.text()) {
		if strings.Contains(line, said) {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 || !regexp.MustCompile(reason).MatchString(lines[0]) {
		s.t.Errorf("want one line with %q, got %q", reason, lines)
	}
	for _, token := range tokens {
		if _, rest, _ := strings.Cut(token, "."); strings.Contains(s.text(), rest[:20]) {
			s.t.Error("a token is in the log")
		}
	}
}

// TestHostileIssuers runs serve against issuers that are down, slow, huge, redirecting, no issuer at all, and lying: at the
// start nobody is let in; later known keys go on, and unknown ones are refused.
func TestHostileIssuers(t *testing.T) {
	t.Parallel()
	for mode, want := range modes {
		t.Run(mode+" at the start", func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, mode)
			s := startServe(t, h.URL)
			tokens := []string{h.token(t, h.known, 1), h.token(t, h.unknown, 2), h.token(t, h.unknown, 3)}
			s.exchange(http.StatusServiceUnavailable, tokens...)
			s.exchange(http.StatusServiceUnavailable, tokens[0])
			if status, body := s.ready(); status != http.StatusServiceUnavailable || !strings.Contains(body, "the oidc issuer of realm sso has no usable keys") || strings.Contains(body, h.URL) {
				t.Errorf("readyz: status %d: %s", status, body)
			}
			s.once("keys cannot be fetched: its tokens are refused until a fetch succeeds", want.cold, tokens...)
		})
		t.Run(mode+" later", func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, "good")
			s := startServe(t, h.URL)
			tokens := []string{h.token(t, h.known, 1), h.token(t, h.known, 2), h.token(t, h.unknown, 3), h.token(t, h.unknown, 4), h.token(t, h.unknown, 5)}
			s.exchange(http.StatusOK, tokens[0])
			h.mode.Store(mode)
			s.exchange(http.StatusServiceUnavailable, tokens[2:]...)
			s.exchange(http.StatusOK, tokens[1])
			if status, body := s.ready(); status != http.StatusOK || !strings.Contains(body, `"warnings":["the oidc issuer of realm sso cannot be asked for keys: known keys go on serving until `) || strings.Contains(body, h.URL) {
				t.Errorf("readyz: status %d: %s", status, body)
			}
			s.once("keys cannot be fetched: known keys go on serving until they are too old", want.warm, tokens...)
		})
	}
}
