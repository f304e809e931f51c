package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	defaultFollowerTimeout = 14 * time.Second
	minFollowerTimeout     = 11 * time.Second
	defaultFollowerBytes   = 32 << 20
)

// FollowerConfig configures a [Follower]. URL, ClientID and ClientSecret are required.
type FollowerConfig struct {
	// URL is the server's event feed, such as https://auth.example.com/v1/events. Plain http is accepted for loopback alone.
	URL string
	// ClientID and ClientSecret authenticate this node by HTTP Basic as RFC 6749 section 2.3.1 says: both
	// form-urlencoded first.
	ClientID, ClientSecret string
	// Transport carries the requests, for a private CA or client certificates. Nil is a transport of the follower's own
	// that goes through the proxy of the environment. [http.DefaultClient] is never used, because a program around this
	// one may have changed it; Nakama sets its timeout to 1.5 s.
	Transport http.RoundTripper
	// Timeout is for one request, in which the server may wait 10 s for news. Default 14 s, at least 11 s; a ledger
	// waits 15 s in any case.
	Timeout time.Duration
	// MaxBytes bounds an answer's body. Default 32 MiB, which is more than any page of 1,000 events.
	MaxBytes int64
}

// Follower is a Feed over HTTP: it follows the revocations of a Sallyport server. Give it to a [Ledger] as its Feed.
type Follower struct {
	url      url.URL
	id       string
	secret   string
	client   http.Client
	maxBytes int64
}

// NewFollower returns a follower. It makes no request; the ledger's Load does.
func NewFollower(c FollowerConfig) (*Follower, error) {
	address, err := parseFeedURL(c.URL)
	if err != nil {
		return nil, err
	}
	if c.ClientID == "" || c.ClientSecret == "" {
		return nil, errors.New("session: FollowerConfig.ClientID, FollowerConfig.ClientSecret: set both; the feed has no anonymous readers")
	}
	if c.Timeout == 0 {
		c.Timeout = defaultFollowerTimeout
	}
	if c.Timeout < minFollowerTimeout {
		return nil, fmt.Errorf("session: FollowerConfig.Timeout: want at least %v", minFollowerTimeout)
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultFollowerBytes
	}
	if c.MaxBytes < 0 {
		return nil, errors.New("session: FollowerConfig.MaxBytes: want a positive number of bytes")
	}
	if c.Transport == nil {
		c.Transport = newFeedTransport()
	}
	return &Follower{
		url: *address, id: url.QueryEscape(c.ClientID), secret: url.QueryEscape(c.ClientSecret), maxBytes: c.MaxBytes,
		client: http.Client{Transport: c.Transport, Timeout: c.Timeout, CheckRedirect: refuseRedirect},
	}, nil
}

func newFeedTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        2,
		IdleConnTimeout:     time.Minute,
	}
}

// refuseRedirect hands the redirect itself to the caller, to whom it is a wrong status.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func parseFeedURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("session: FollowerConfig.URL: want an absolute URL without user, query and fragment")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, errors.New("session: FollowerConfig.URL: want https, or http on a loopback address")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Since asks the server, see [Feed]. Every error wraps ErrStoreUnavailable; none holds anything of the answer but its
// status.
func (f *Follower) Since(ctx context.Context, cursor string) (Batch, error) {
	batch, err := f.since(ctx, cursor)
	if err != nil {
		return Batch{}, fmt.Errorf("%w: feed: %w", ErrStoreUnavailable, err)
	}
	return batch, nil
}

func (f *Follower) since(ctx context.Context, cursor string) (Batch, error) {
	request, err := f.request(ctx, cursor)
	if err != nil {
		return Batch{}, err
	}
	response, err := f.client.Do(request)
	if err != nil {
		return Batch{}, withoutURL(err)
	}
	defer response.Body.Close()
	if err := checkFeedHeader(response); err != nil {
		return Batch{}, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, f.maxBytes+1))
	if err != nil {
		return Batch{}, withoutURL(err)
	}
	if int64(len(body)) > f.maxBytes {
		return Batch{}, fmt.Errorf("the answer is over %d bytes", f.maxBytes)
	}
	var batch Batch
	return batch, batch.UnmarshalJSON(body) // json.Unmarshal's own errors quote the body
}

func (f *Follower) request(ctx context.Context, cursor string) (*http.Request, error) {
	u := f.url
	u.RawQuery = url.Values{"after": {cursor}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(f.id, f.secret)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Cache-Control", "no-store")
	return request, nil
}

func checkFeedHeader(response *http.Response) error {
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("the server refused the client's credentials (status %d)", code)
	case code != http.StatusOK:
		return fmt.Errorf("the server answered with status %d, want 200", code)
	case response.Header.Get("Age") != "": // RFC 9111 section 5.1; an old "no news" would prove for ever that the feed lives
		return errors.New("the answer came out of a cache on the way")
	}
	if media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return errors.New("the server did not answer with application/json")
	}
	return nil
}

// withoutURL leaves out the address and cursor, which net/http puts before the cause.
func withoutURL(err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		return inner.Err
	}
	return err
}
