package jwks

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Format is the form in which an issuer publishes its keys.
type Format int

const (
	// JWKSet is a JWK Set (RFC 7517 section 5).
	JWKSet Format = iota
	// X509Map is a JSON object from kid to a PEM certificate, as Google publishes for Firebase under
	// https://www.googleapis.com/robot/v1/metadata/x509/ (firebase.google.com, "Verify ID tokens using a third-party
	// JWT library").
	X509Map
)

const (
	defaultTTL        = time.Hour
	defaultMinTTL     = 5 * time.Minute
	defaultMaxTTL     = 6 * time.Hour
	defaultStaleLimit = 24 * time.Hour
	defaultTimeout    = 5 * time.Second
	defaultMaxBytes   = 1 << 20

	// leastTTL is the least time to live: a set whose life is a unit forgotten would be fetched without a pause.
	leastTTL = time.Second
)

// Config says where an issuer's keys are and how long they are good. Exactly one of URL and Discovery is required;
// every other zero value means the default that its comment names.
type Config struct {
	// URL is the address of the keys: https, or http on a loopback address (127.0.0.0/8, ::1, localhost). It has no
	// user information and no fragment.
	URL string

	// Discovery is an issuer identifier whose keys are found by OpenID Connect Discovery 1.0 section 4: the document
	// at Discovery + "/.well-known/openid-configuration" names jwks_uri. The same rules hold as for URL. The address
	// found must be https, and may be loopback http only if Discovery is. It is read again with each scheduled
	// refresh, after each fetch that failed, and for an unknown kid only if it is older than TTL.
	Discovery string

	// DiscoveredIssuer is what the document's issuer must equal, byte for byte. The default is Discovery itself. It
	// differs only where an issuer publishes a template, as Microsoft's common endpoint does:
	// "https://login.microsoftonline.com/{tenantid}/v2.0".
	DiscoveredIssuer string

	// Format is the form of the keys. The default is JWKSet.
	Format Format

	// KeyIssuers takes of a JWK Set only the keys that name in their own member issuer one of these, byte for byte; the
	// others are skipped, and so are keys without a kid. Microsoft publishes the keys of several issuers in one set
	// (learn.microsoft.com, "Secure applications and APIs by validating claims", "Validate the signing key issuer").
	// Empty takes all keys. It needs the format JWKSet.
	KeyIssuers []string

	// Header is sent with each request to the host of URL or Discovery, and to no other: for Clerk's backend API,
	// Authorization with the secret key. With Discovery, a jwks_uri on another host does not get it.
	Header http.Header

	// Client makes the requests. The default uses http.DefaultTransport. Its CheckRedirect is not used: redirects to
	// another host, port or scheme are always refused, and so are more than three.
	Client *http.Client

	// TTL is how long a set is fresh if the answer has no Cache-Control max-age (RFC 9111 section 5.2.2.1). At
	// least 1 s. Default 1 h.
	TTL time.Duration
	// MinTTL is the least that max-age can ask for, and what no-store and no-cache mean. Default 5 min, or TTL if that
	// is less.
	MinTTL time.Duration
	// MaxTTL is the most that max-age can ask for: how long a key that the issuer removed is trusted while the issuer
	// can be reached. Default 6 h, or TTL if that is more, or StaleLimit if that is less.
	MaxTTL time.Duration
	// StaleLimit is how long after the last good fetch its keys serve while the issuer cannot be reached. Default
	// 24 h. It must not be less than MaxTTL.
	StaleLimit time.Duration

	// Timeout bounds one fetch with its redirects and discovery. Default 5 s.
	Timeout time.Duration
	// MaxBytes bounds each answer, after decompression. Default 1 MiB.
	MaxBytes int64

	// Now is the clock. Default time.Now. Timers run on the machine's clock all the same; a set that this clock says
	// is due is also refreshed by the next lookup.
	Now func() time.Time
	// Jitter returns a number in [0, 1) that spreads the background refreshes of many machines: a refresh comes after
	// 80 to 100 % of the time to live. Default math/rand.
	Jitter func() float64

	// Observe is told of every fetch and of refused lookups, for logs and metrics. It is called by the goroutine that
	// fetched, after those who waited were released, or by one whose lookup was refused. It must be safe for concurrent
	// use and should return quickly. Default none.
	Observe func(Event)
}

func (c Config) withDefaults() Config {
	c.TTL = or(c.TTL, defaultTTL)
	c.StaleLimit = or(c.StaleLimit, defaultStaleLimit)
	c.MinTTL = or(c.MinTTL, min(defaultMinTTL, c.TTL))
	c.MaxTTL = or(c.MaxTTL, max(c.TTL, min(defaultMaxTTL, c.StaleLimit)))
	c.Timeout = or(c.Timeout, defaultTimeout)
	c.MaxBytes = or(c.MaxBytes, defaultMaxBytes)
	c.DiscoveredIssuer = or(c.DiscoveredIssuer, c.Discovery)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	if c.Client == nil {
		c.Client = &http.Client{}
	}
	c.Header, c.KeyIssuers = c.Header.Clone(), slices.Clone(c.KeyIssuers)
	return c
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// validateAddresses checks what was set, before there are defaults.
func (c Config) validateAddresses() error {
	switch {
	case c.URL == "" && c.Discovery == "":
		return errors.New("jwks: neither Config.URL nor Config.Discovery is set: give the address of the keys or the issuer")
	case c.URL != "" && c.Discovery != "":
		return errors.New("jwks: Config.URL and Config.Discovery are both set: give one of them")
	case c.URL != "" && c.DiscoveredIssuer != "":
		return errors.New("jwks: Config.DiscoveredIssuer is set without Config.Discovery")
	case c.URL != "":
		if _, err := parseAddress(c.URL, true); err != nil {
			return fmt.Errorf("jwks: Config.URL %w", err)
		}
		return nil
	}
	issuer, err := parseAddress(c.Discovery, true)
	if err == nil && (issuer.RawQuery != "" || issuer.ForceQuery) {
		err = errors.New("has a query, which an issuer has not")
	}
	if err != nil {
		return fmt.Errorf("jwks: Config.Discovery %w", err)
	}
	return nil
}

// validate checks a config that has its defaults.
func (c Config) validate() error {
	switch {
	case c.Format != JWKSet && c.Format != X509Map:
		return fmt.Errorf("jwks: Config.Format %d is not known: use JWKSet or X509Map", c.Format)
	case c.Format != JWKSet && len(c.KeyIssuers) > 0:
		return errors.New("jwks: Config.KeyIssuers is set for certificates, which name no issuer: use the format JWKSet")
	case slices.Contains(c.KeyIssuers, ""):
		return errors.New("jwks: Config.KeyIssuers has an empty entry, which would take keys that name no issuer")
	case c.TTL < 0 || c.MinTTL < 0 || c.MaxTTL < 0 || c.StaleLimit < 0 || c.Timeout < 0 || c.MaxBytes < 0:
		return errors.New("jwks: a duration or MaxBytes in Config is negative: leave it 0 for its default")
	case c.MinTTL < leastTTL:
		return fmt.Errorf("jwks: Config.TTL or MinTTL is %v: want at least 1s (a bare number counts nanoseconds)", c.MinTTL)
	case c.MinTTL > c.TTL || c.TTL > c.MaxTTL || c.MaxTTL > c.StaleLimit:
		return fmt.Errorf("jwks: Config wants MinTTL ≤ TTL ≤ MaxTTL ≤ StaleLimit, but they are %v, %v, %v, %v",
			c.MinTTL, c.TTL, c.MaxTTL, c.StaleLimit)
	}
	return nil
}

// parseAddress parses a configured or discovered address and refuses what keys may not come from. loopback says
// whether http on a loopback address will do.
func parseAddress(text string, loopback bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is no URL")
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("has no host")
	case u.User != nil:
		return nil, errors.New("has user information in it: use Config.Header for credentials")
	case u.Fragment != "":
		return nil, errors.New("has a fragment")
	case u.Scheme == "https", loopback && isLoopbackHTTP(u):
		return u, nil
	}
	return nil, errors.New("is not https (http will do on a loopback address alone)")
}

func isLoopbackHTTP(u *url.URL) bool {
	if u.Scheme != "http" {
		return false
	}
	host := u.Hostname()
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() && addr.Zone() == "" || strings.EqualFold(host, "localhost")
}

// sameOrigin says whether two addresses have the same scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
