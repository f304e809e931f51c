package session

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	sinceTimeout = 15 * time.Second       // a feed answers within 10 s
	idlePause    = 200 * time.Millisecond // for a feed that does not wait, or always starts again
	minBackoff   = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// LedgerState is what a Ledger knows about itself, for /readyz, logs and metrics.
type LedgerState struct {
	// Loaded says that the whole set was read once.
	Loaded bool
	// Ready says that checks are answered now: false before loading and when the stale policy refuses.
	Ready bool
	// Failing says that the last contact failed.
	Failing bool
	// Policy is the configured policy.
	Policy StalePolicy
	// Contact is when the ledger was last up to date, in UTC, zero if never.
	Contact time.Time
	// Age is how long ago that was, 0 if never.
	Age time.Duration
	// Failures counts the failed contacts since then.
	Failures int
	// LastError is the text of the last failure, "" when Failing is false.
	LastError string
	// Resets counts how often the feed began from the beginning; 1 is the first load.
	Resets int
	// Sessions, SignOuts, Upstreams, CutOffs, Bans and Aliases count what is held. Expired entries count until they are
	// swept, which takes about ten minutes.
	Sessions, SignOuts, Upstreams, CutOffs, Bans, Aliases int
	// Backlog is how many events wait for the slowest subscriber.
	Backlog int
}

// contact is what is known about the store's health.
type contact struct {
	mu       sync.Mutex
	loaded   bool
	at       time.Time
	elapsed  time.Duration
	failures int
	err      string
	resets   int
	told     [3]bool // Loaded, Ready, Failing as Observe last heard them
}

// Load reads the store or feed until the ledger is up to date. It returns the first error; what was read so far is
// kept and the next Load goes on there. Once a ledger is loaded Load does nothing.
func (l *Ledger) Load(ctx context.Context) error {
	for !l.loaded() {
		if _, err := l.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Run loads the ledger and follows the store or feed until ctx ends, then returns the context's error. After a
// failure it tries again after 100 ms, then twice as long each time up to 5 s, less up to half of it by chance; a quiet
// feed that is back proves it with its first answer, at most 10 s later. Run it on a goroutine of its own for as long as
// the ledger is used: without it every policy but Available refuses soon.
//
// Of a store that is a Pusher it takes in what is pushed at once. That is no contact: it moves no cursor, and what is
// missed comes with the feed.
func (l *Ledger) Run(ctx context.Context) error {
	if p, ok := l.store.(Pusher); ok {
		var pushed sync.WaitGroup
		pushed.Go(func() { l.hear(ctx, p) })
		defer pushed.Wait()
	}
	for failures := 0; ctx.Err() == nil; {
		pause, err := l.step(ctx)
		if err == nil {
			failures = 0
		} else {
			pause = backoff(failures)
			failures++
		}
		sleep(ctx, pause)
	}
	return ctx.Err()
}

// hear takes in what is pushed, and listens again when that ends.
func (l *Ledger) hear(ctx context.Context, p Pusher) {
	for failures := 0; ctx.Err() == nil; failures++ {
		_ = p.Follow(ctx, func(e Event) {
			failures = 0
			if e.Validate() == nil && !e.At.IsZero() {
				l.index.take(e)
			}
		})
		sleep(ctx, backoff(failures))
	}
}

// step asks the feed once and returns how long to wait before the next time.
func (l *Ledger) step(ctx context.Context) (time.Duration, error) {
	l.following.Lock()
	defer l.following.Unlock()
	if l.index.clockWasSetBack() {
		l.cursor = "" // to read again what was forgotten too early
	}
	began := time.Now()
	before := l.cursor
	batch, err := l.ask(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return 0, err // the caller's end is no failure of the feed's
	case err != nil:
		l.contactFailed(err)
		return 0, err
	}
	news := l.index.take(batch.Events...)
	l.cursor = batch.Cursor
	l.index.sweep(l.sweeps)
	l.sweeps++
	l.contactMade(batch)
	again := batch.Reset || len(batch.Events) == 0 || batch.Cursor == before
	if news == 0 && !batch.More && again && time.Since(began) < idlePause {
		return idlePause, nil
	}
	return 0, nil
}

func (l *Ledger) ask(ctx context.Context) (Batch, error) {
	ctx, cancel := context.WithTimeout(ctx, sinceTimeout)
	defer cancel()
	batch, err := l.feed.Since(ctx, l.cursor)
	if err != nil {
		return Batch{}, err
	}
	if batch.More && batch.Cursor == l.cursor {
		return Batch{}, invalid("batch more: the cursor does not move on, so there is no end")
	}
	return batch, batch.Validate()
}

func backoff(failures int) time.Duration {
	d := min(minBackoff<<min(failures, 16), maxBackoff)
	return d/2 + rand.N(d/2)
}

func sleep(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (l *Ledger) loaded() bool {
	l.contact.mu.Lock()
	defer l.contact.mu.Unlock()
	return l.contact.loaded
}

// contactMade counts as up to date only with the last page.
func (l *Ledger) contactMade(b Batch) {
	c := &l.contact
	c.mu.Lock()
	if b.Reset {
		c.resets++
	}
	if !b.More {
		c.loaded, c.failures, c.err = true, 0, ""
		c.at, c.elapsed = l.clock.now().Round(0).UTC(), l.clock.elapsed()
		l.allowUntil(c.elapsed)
	}
	c.mu.Unlock()
	l.observe()
}

// allowUntil puts the policy in force after a contact.
func (l *Ledger) allowUntil(contact time.Duration) {
	serves, creates := contact+l.config.Grace, contact+l.config.Grace
	switch l.config.Policy {
	case Strict:
		serves, creates = contact+strictLimit, contact+strictLimit
	case Available:
		serves = forever
	}
	l.servesUntil.Store(int64(serves))
	l.createsUntil.Store(int64(creates))
}

func (l *Ledger) contactFailed(err error) {
	c := &l.contact
	c.mu.Lock()
	c.failures++
	c.err = err.Error()
	if l.config.Policy == Strict {
		l.servesUntil.Store(int64(notYet))
		l.createsUntil.Store(int64(notYet))
	}
	c.mu.Unlock()
	l.observe()
}

func (l *Ledger) observe() {
	if l.config.Observe == nil {
		return
	}
	s := l.State()
	now := [3]bool{s.Loaded, s.Ready, s.Failing}
	l.contact.mu.Lock()
	news := l.contact.told != now
	l.contact.told = now
	l.contact.mu.Unlock()
	if news {
		l.config.Observe(s)
	}
}

// State returns the ledger's state now.
func (l *Ledger) State() LedgerState {
	s := LedgerState{Policy: l.config.Policy, Ready: l.usable() == nil}
	l.index.count(&s)
	c := &l.contact
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Loaded, s.Contact, s.Resets = c.loaded, c.at, c.resets
	s.Failing, s.Failures, s.LastError = c.failures > 0, c.failures, c.err
	if c.loaded {
		s.Age = l.clock.elapsed() - c.elapsed
	}
	return s
}

func (ix *index) count(s *LedgerState) {
	s.Sessions, s.SignOuts, s.Upstreams = ix.revoked.len(), ix.signedOut.len(), ix.ended.len()
	s.CutOffs, s.Bans, s.Aliases = ix.cutOff.len(), ix.banned.len(), ix.aliases.len()
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for _, sub := range ix.subscribers {
		s.Backlog = max(s.Backlog, sub.waiting())
	}
}
