package jwks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// Set is one issuer's keys. It is safe for concurrent use and implements [jws.KeySource].
type Set struct {
	config Config
	// origin is the configured address: the one place that Config.Header is sent to. name is how errors, states and
	// events call it.
	origin *url.URL
	name   string
	client *http.Client

	// current and due are all that a lookup of a known key reads.
	current atomic.Pointer[keySet]
	due     atomic.Int64 // when the next scheduled fetch is, in Unix nanoseconds; 0 before the first use

	// lifetime ends with Close; fetches live as long as it does, not as long as the caller who began one.
	lifetime context.Context
	end      context.CancelFunc

	mu       sync.Mutex
	flight   *flight
	budget   budget
	timer    *time.Timer
	failures int
	lastErr  error

	// keysAt is where discovery found the keys, and locatedAt when. Only the one fetch in flight touches them.
	keysAt    *url.URL
	locatedAt time.Time
}

// New makes a set. It makes no request: the first lookup or Refresh does. It returns an error that names the field of
// config which is missing or wrong.
func New(config Config) (*Set, error) {
	if err := config.validateAddresses(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	origin, err := url.Parse(or(config.URL, config.Discovery))
	if err != nil {
		return nil, errors.New("jwks: the address is no URL")
	}
	s := &Set{config: config, origin: origin, budget: newBudget()}
	s.name = (&url.URL{Scheme: origin.Scheme, Host: origin.Host, Path: origin.Path}).String()
	client := *config.Client
	client.CheckRedirect = checkRedirect
	s.client = &client
	s.lifetime, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Keys returns the keys that may have signed a token with this header: the key of its kid or, for a token without a
// kid, the only key of its algorithm. It implements [jws.KeySource]. The slice is shared and must not be changed.
//
// Errors are *[jws.Refusal]. The reason is [jws.UnknownKey] if the issuer has no such key, or if it may have one but
// has been asked often enough for now; it is [jws.Unavailable] if there are no keys, if they are stale, if the issuer
// could not be asked for this one, or if ctx ended while a fetch ran. A fetch that others wait for goes on.
func (s *Set) Keys(ctx context.Context, h jws.Header) ([]*jws.Key, error) {
	now := s.config.Now()
	set := s.current.Load()
	if !set.serves(now) {
		return s.keysAfterFetch(ctx, h, now)
	}
	if now.UnixNano() >= s.due.Load() {
		s.refreshBehind(now)
	}
	if keys := set.find(h); len(keys) != 0 {
		return keys, nil
	}
	if h.KeyID == "" {
		return nil, s.unknown("a kid, or to be the only key of its algorithm in " + s.name)
	}
	return s.keysAfterFetch(ctx, h, now)
}

// Refresh fetches the keys now, or waits for the fetch that is running. It spends nothing of the budget for unknown
// kids. It returns why the fetch failed, or ctx's error; the keys that were known stay.
func (s *Set) Refresh(ctx context.Context) error {
	s.mu.Lock()
	f := s.flight
	if f == nil {
		if err := s.closed(); err != nil {
			s.mu.Unlock()
			return err
		}
		f = s.launch(s.config.Now(), "", true)
	}
	s.mu.Unlock()
	if err := f.wait(ctx); err != nil {
		return err
	}
	return f.err
}

// Close ends background refreshes and the fetch that is running. Keys that are known serve until they are stale;
// nothing is fetched any more. It may be called twice.
func (s *Set) Close() {
	s.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
}

// String names the set by its address. Nothing of Config.Header is in it.
func (s *Set) String() string { return "jwks.Set(" + s.name + ")" }

// GoString is String.
func (s *Set) GoString() string { return s.String() }

// closed returns an error after Close.
func (s *Set) closed() error {
	if s.lifetime.Err() != nil {
		return fmt.Errorf("jwks: %s: the key set was closed", s.name)
	}
	return nil
}

func (s *Set) unknown(want string) error {
	return &jws.Refusal{Check: jws.CheckSignature, Reason: jws.UnknownKey, Claim: "kid", Want: want}
}

func (s *Set) unavailable(err error) error {
	return &jws.Refusal{Check: jws.CheckSignature, Reason: jws.Unavailable, Claim: "kid", Want: "keys of " + s.name, Err: err}
}

// next returns when the next scheduled fetch is.
func (s *Set) next() time.Time {
	due := s.due.Load()
	if due == 0 {
		return time.Time{}
	}
	return time.Unix(0, due).UTC()
}
