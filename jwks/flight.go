package jwks

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

const (
	// firstRetry is when a failed scheduled fetch is tried again; it doubles up to lastRetry.
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

// flight is one fetch, shared by all who wait for it.
type flight struct {
	began time.Time
	// kid is the kid whose lookup began the fetch, "" if none did.
	kid string
	// scheduled says that discovery is read again too, however fresh it is.
	scheduled bool
	// done is closed when the fetch has ended; err may be read then.
	done chan struct{}
	err  error
}

// wait returns nil when the fetch has ended, or ctx's error if that comes first.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keysAfterFetch looks a key up that the set does not have, or that it may not use any more.
func (s *Set) keysAfterFetch(ctx context.Context, h jws.Header, now time.Time) ([]*jws.Key, error) {
	f, err := s.demand(h, now)
	if err != nil {
		return nil, err
	}
	if f != nil {
		if err := f.wait(ctx); err != nil {
			return nil, s.unavailable(err)
		}
		if f.err != nil {
			return nil, s.unavailable(f.err)
		}
	}
	if keys := s.current.Load().find(h); len(keys) != 0 {
		return keys, nil
	}
	return nil, s.unknown("a key of " + s.name)
}

// demand returns the fetch that a lookup is to wait for: the one that runs, or one that it may begin. It returns no
// fetch if the key has come meanwhile, and a refusal if the lookup may not begin one.
func (s *Set) demand(h jws.Header, now time.Time) (*flight, error) {
	s.mu.Lock()
	set := s.current.Load()
	serves := set.serves(now)
	purse := &s.budget.noKeys
	if serves {
		purse = &s.budget.unknownKids
	}
	switch {
	case serves && len(set.find(h)) != 0:
		s.mu.Unlock()
		return nil, nil
	case s.flight != nil:
		defer s.mu.Unlock()
		return s.flight, nil
	case s.closed() != nil:
		defer s.mu.Unlock()
		return nil, s.unavailable(s.closed())
	case serves && s.budget.knownUnknown(h.KeyID, now):
		s.mu.Unlock()
		return nil, s.unknown("a key of " + s.name + ", which was asked for this one within the last 30 s")
	case purse.spend(now):
		defer s.mu.Unlock()
		return s.launch(now, h.KeyID, !serves), nil
	}
	refused, failures, err := s.budget.refuse(now), s.failures, s.lastErr
	s.mu.Unlock()
	if refused != 0 {
		s.config.Observe(Event{Kind: LookupsRefused, URL: s.name, At: now.UTC(), Keys: set.size(), Failures: failures, Refused: refused, Err: err})
	}
	if failures != 0 || !serves {
		return nil, s.unavailable(err)
	}
	return nil, s.unknown("a key of " + s.name + ", which is asked for unknown ones at most once in 5 s")
}

// refreshBehind begins the scheduled fetch if it is due and nobody did so yet. The caller does not wait.
func (s *Set) refreshBehind(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight == nil && s.closed() == nil && now.UnixNano() >= s.due.Load() {
		s.launch(now, "", true)
	}
}

// tick is the timer's: the scheduled fetch.
func (s *Set) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight == nil && s.closed() == nil {
		s.launch(s.config.Now(), "", true)
	}
}

// launch begins a fetch. The caller holds mu and has seen that none runs.
func (s *Set) launch(now time.Time, kid string, scheduled bool) *flight {
	f := &flight{began: now.UTC(), kid: kid, scheduled: scheduled, done: make(chan struct{})}
	s.flight = f
	s.due.Store(now.Add(s.config.Timeout).UnixNano()) // lookups need not ask for a refresh while this one runs
	go s.fly(f)
	return f
}

func (s *Set) fly(f *flight) {
	ctx, cancel := context.WithTimeout(s.lifetime, s.config.Timeout)
	defer cancel()
	start := time.Now()
	got, err := s.fetch(ctx, f)
	event := s.land(f, got, err)
	event.Took = time.Since(start)
	close(f.done)
	s.config.Observe(event)
}

// land publishes the outcome of a fetch and plans the next one.
func (s *Set) land(f *flight, got answer, err error) Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	event := Event{Kind: Fetched, URL: s.name, At: f.began}
	f.err, s.lastErr = err, err
	if err != nil {
		s.failures++
		s.schedule(s.retryDelay())
		event.Kind, event.Err, event.Keys, event.Failures = FetchFailed, err, s.current.Load().size(), s.failures
		return event
	}
	s.failures = 0
	event.Added, event.Removed = s.publish(f, got)
	event.Keys, event.Skipped = s.current.Load().size(), got.skipped
	s.schedule(time.Duration(float64(got.ttl) * (0.8 + 0.2*s.config.Jitter())))
	return event
}

// publish replaces the set. Keys that stay keep their identity and are trusted for longer; keys that are gone are
// distrusted at once.
func (s *Set) publish(f *flight, got answer) (added, removed int) {
	before := s.current.Load()
	set := newKeySet(got.keys, before)
	set.skipped, set.fetchedAt, set.staleAt = got.skipped, f.began, f.began.Add(s.config.StaleLimit)
	for _, key := range set.keys {
		key.TrustUntil(set.staleAt)
	}
	s.current.Store(set)
	gone := before.missing(set)
	for _, key := range gone {
		key.Distrust()
	}
	added, removed = len(set.missing(before)), len(gone)
	if added != 0 || removed != 0 {
		s.budget.forget()
	}
	if f.kid != "" && set.byID[f.kid] == nil {
		s.budget.remember(f.kid, f.began)
	}
	return added, removed
}

// schedule plans the next background fetch. The caller holds mu.
func (s *Set) schedule(delay time.Duration) {
	s.due.Store(s.config.Now().Add(delay).UnixNano())
	switch {
	case s.closed() != nil:
	case s.timer == nil:
		s.timer = time.AfterFunc(delay, s.tick)
	default:
		s.timer.Reset(delay)
	}
}

// retryDelay is how long to wait after the latest of s.failures failures.
func (s *Set) retryDelay() time.Duration {
	delay := firstRetry << min(s.failures-1, 10)
	delay = min(delay, lastRetry, s.config.TTL)
	return time.Duration(float64(delay) * (0.8 + 0.2*s.config.Jitter()))
}
