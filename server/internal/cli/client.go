package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// clientTimeout bounds a call of a running server.
const clientTimeout = 15 * time.Second

// maxAnswer is the most that is read of an answer, unless more is expected.
const maxAnswer = 1 << 20

// defaultServer is where a server with the default configuration listens.
const defaultServer = "http://127.0.0.1:8080"

// client calls one running server.
type client struct {
	base       string
	id, secret string // a caller's; empty for what anyone may ask
	limit      int64  // of an answer's bytes
}

// newClient checks the server's URL: secrets and tokens go over https, or to this machine.
func newClient(server string) (*client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, usage("--server wants a URL such as https://auth.example.com")
	}
	addr, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, usage("--server wants https; http will do on a loopback address alone")
	}
	return &client{base: strings.TrimSuffix(server, "/"), limit: maxAnswer}, nil
}

// do sends a request and returns the answer's status and body.
func (c *client) do(ctx context.Context, method, path, contentType string, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if c.id != "" {
		r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret)) // RFC 6749 section 2.3.1
	}
	hc := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := hc.Do(r)
	if err != nil {
		return 0, nil, unwrapURL(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, c.limit))
	return answer.StatusCode, data, err
}

// unwrapURL says what failed with the address and without the method.
func unwrapURL(err error) error {
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return fmt.Errorf("%s: %v", failed.URL, failed.Err)
	}
	return err
}

// problem says in words what an error answer says: RFC 9457, or RFC 6749 section 5.2.
func problem(status int, body []byte) error {
	var said struct {
		Title       string `json:"title"`
		Detail      string `json:"detail"`
		Reason      string `json:"reason"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	text := http.StatusText(status)
	if json.Unmarshal(body, &said) == nil {
		for _, part := range []string{said.Error, said.Reason, said.Detail, said.Description} {
			if part != "" {
				text += ": " + part
			}
		}
	}
	return fmt.Errorf("the server answered %d %s", status, printable(text))
}
