package jwks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

const maxRedirects = 3

// answer is what a good fetch brought.
type answer struct {
	keys    []*jws.Key
	skipped int
	ttl     time.Duration
}

// fetch gets the keys from where they are. If there are none, the issuer may have moved them: the next fetch asks it.
func (s *Set) fetch(ctx context.Context, f *flight) (answer, error) {
	address, err := s.locate(ctx, f)
	if err != nil {
		return answer{}, err
	}
	got, err := s.fetchFrom(ctx, address)
	if err != nil {
		s.keysAt = nil
	}
	return got, err
}

// locate returns where the keys are. With discovery it reads the document for each scheduled fetch, and for another one
// if that is overdue: every fetch puts the scheduled one off, so lookups of unknown kids could put it off for ever.
func (s *Set) locate(ctx context.Context, f *flight) (*url.URL, error) {
	if s.config.Discovery == "" {
		return s.origin, nil
	}
	if s.keysAt != nil && !f.scheduled && f.began.Sub(s.locatedAt) < s.config.TTL {
		return s.keysAt, nil
	}
	keysAt, err := s.discover(ctx)
	if err != nil {
		return nil, err
	}
	s.keysAt, s.locatedAt = keysAt, f.began
	return keysAt, nil
}

func (s *Set) fetchFrom(ctx context.Context, address *url.URL) (answer, error) {
	body, header, err := s.get(ctx, address)
	if err != nil {
		return answer{}, err
	}
	got, err := s.config.parseKeys(body)
	if err != nil {
		return answer{}, fmt.Errorf("jwks: %s: %w", display(address), err)
	}
	got.ttl = s.config.lifetime(header)
	return got, nil
}

// get makes one request and returns the body, which is no longer than Config.MaxBytes.
func (s *Set) get(ctx context.Context, address *url.URL) ([]byte, http.Header, error) {
	body, header, err := s.exchange(ctx, address)
	if err != nil {
		return nil, nil, fmt.Errorf("jwks: %s: %w", display(address), err)
	}
	return body, header, nil
}

func (s *Set) exchange(ctx context.Context, address *url.URL) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return nil, nil, errors.New("the address makes no request")
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	if sameOrigin(address, s.origin) {
		for name, values := range s.config.Header {
			request.Header[name] = values
		}
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, nil, s.explain(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("answered HTTP %d instead of 200", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, s.config.MaxBytes+1))
	if err != nil {
		return nil, nil, s.explain(err)
	}
	if int64(len(body)) > s.config.MaxBytes {
		return nil, nil, fmt.Errorf("answered more than %d bytes (Config.MaxBytes)", s.config.MaxBytes)
	}
	return body, response.Header, nil
}

// explain says why a request failed. It takes over only texts that are made on this side or are about the connection:
// net/http's own may quote what was answered, or the address, which may have a secret in its query.
func (s *Set) explain(err error) error {
	var (
		redirected  redirectError
		network     *net.OpError
		certificate *tls.CertificateVerificationError
	)
	switch {
	case s.closed() != nil:
		return errors.New("the key set was closed")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("gave no full answer within %v (Config.Timeout)", s.config.Timeout)
	case errors.As(err, &redirected):
		return redirected
	case errors.As(err, &certificate):
		return errors.New(certificate.Error())
	case errors.As(err, &network):
		return errors.New(network.Error())
	case errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("does not speak TLS")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("ended its answer early")
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return fmt.Errorf("gave no valid HTTP answer (%T)", err)
}

// display is an address for error texts: without its query.
func display(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// redirectError is a redirect that is not followed.
type redirectError string

func (e redirectError) Error() string { return string(e) }

// checkRedirect allows redirects within one origin. Keys from another host would be trusted as the issuer's.
func checkRedirect(request *http.Request, via []*http.Request) error {
	switch {
	case !sameOrigin(request.URL, via[0].URL):
		return redirectError("redirects to another origin, which is never followed: " + strconv.Quote(request.URL.Scheme+"://"+request.URL.Host))
	case len(via) > maxRedirects:
		return redirectError(fmt.Sprintf("redirects more than %d times", maxRedirects))
	}
	return nil
}

// parseKeys reads an answer. Its errors say what is wrong, never what the answer holds.
func (c Config) parseKeys(body []byte) (answer, error) {
	parse := jws.ParseJWKSet
	what := "JWK Set"
	if c.Format == X509Map {
		parse, what = jws.ParseX509Set, "map of X.509 certificates"
	}
	keys, bad, err := parse(body)
	if err != nil {
		return answer{}, fmt.Errorf("the answer is no %s", what)
	}
	skipped := len(bad)
	if len(c.KeyIssuers) > 0 {
		all := len(keys)
		keys = c.ofIssuers(keys, body)
		skipped += all - len(keys)
	}
	switch {
	case len(keys) == 0 && skipped == 0:
		return answer{}, fmt.Errorf("the %s is empty", what)
	case len(keys) == 0:
		return answer{}, fmt.Errorf("the %s has no usable key: all %d were refused", what, skipped)
	}
	return answer{keys: keys, skipped: skipped}, nil
}

// ofIssuers leaves the keys whose JWK names one of KeyIssuers. A kid leads from a key to its JWK, since package jws
// gives no two keys one kid.
func (c Config) ofIssuers(keys []*jws.Key, body []byte) []*jws.Key {
	set, err := jws.ParseObject(body)
	if err != nil {
		return nil
	}
	named := make(map[string]bool)
	list, _ := set.Objects("keys")
	for _, key := range list {
		kid, _ := key.String("kid")
		issuer, _ := key.String("issuer")
		named[kid] = kid != "" && slices.Contains(c.KeyIssuers, issuer)
	}
	return slices.DeleteFunc(keys, func(key *jws.Key) bool { return !named[key.ID()] })
}

// lifetime is how long an answer is fresh: Cache-Control's max-age less Age (RFC 9111 sections 4.2 and 5.2.2), within
// MinTTL and MaxTTL, or TTL if the answer does not say.
func (c Config) lifetime(header http.Header) time.Duration {
	ttl := c.TTL
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return c.MinTTL
		case "max-age":
			ttl = seconds(strings.Trim(value, `"`), c.MaxTTL) - seconds(header.Get("Age"), c.MaxTTL)
		}
	}
	return min(max(ttl, c.MinTTL), c.MaxTTL)
}

// seconds reads delta-seconds (RFC 9111 section 1.2.2): 0 if there are none, most if there are more.
func seconds(text string, most time.Duration) time.Duration {
	n, err := strconv.ParseUint(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && n > uint64(most/time.Second):
		return most
	case err != nil:
		return 0
	}
	return time.Duration(n) * time.Second
}
