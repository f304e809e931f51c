package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

// Faults stands between stores and those who use them, and does on demand what networks do. The zero value lets everything
// pass. All methods may be called concurrently.
type Faults struct {
	mu      sync.Mutex
	away    bool
	lose    bool
	slow    time.Duration
	calling map[int64]context.CancelFunc
	calls   atomic.Int64
}

// Away takes the store away, or back: calls that wait and calls that come end as session.ErrStoreUnavailable, and have
// changed nothing.
func (f *Faults) Away(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = away
	if away {
		for _, cut := range f.calling {
			cut()
		}
	}
}

// LoseAnswers lets each call do its work and tells the caller that the store is unavailable.
func (f *Faults) LoseAnswers(lose bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose = lose
}

// Slow delays each call.
func (f *Faults) Slow(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slow = d
}

// Calls returns how many calls there were.
func (f *Faults) Calls() int64 { return f.calls.Load() }

// Wrap returns the stores with the faults before them. What is nil stays nil.
func (f *Faults) Wrap(s Stores) Stores {
	var wrapped Stores
	if s.Revocations != nil {
		faulty := faultyRevocations{s.Revocations, f}
		wrapped.Revocations = faulty
		if p, ok := s.Revocations.(session.Pusher); ok {
			wrapped.Revocations = faultyPusher{faulty, p}
		}
	}
	if s.Families != nil {
		wrapped.Families = faultyFamilies{s.Families, f}
	}
	if s.Tickets != nil {
		wrapped.Tickets = faultyTickets{s.Tickets, f}
	}
	if s.Cluster != nil {
		wrapped.Cluster = faultyCluster{s.Cluster, f}
	}
	return wrapped
}

var errFault = fmt.Errorf("%w: %w", session.ErrStoreUnavailable, errors.New("storetest: a fault"))

// pass makes a call with what stands in its way, and ends its context when the store goes away.
func pass[T any](ctx context.Context, f *Faults, call func(context.Context) (T, error)) (T, error) {
	var zero T
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	number := f.calls.Add(1)
	f.mu.Lock()
	away, slow, lose := f.away, f.slow, f.lose
	if f.calling == nil {
		f.calling = map[int64]context.CancelFunc{}
	}
	f.calling[number] = cancel
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.calling, number)
	}()
	if away {
		return zero, errFault
	}
	if slow > 0 && !waited(ctx, slow) {
		return zero, errFault
	}
	answer, err := call(ctx)
	if lose && err == nil {
		return zero, errFault
	}
	return answer, err
}

func waited(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func done(ctx context.Context, f *Faults, call func(context.Context) error) error {
	_, err := pass(ctx, f, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	return err
}

type faultyRevocations struct {
	session.Revocations
	f *Faults
}

func (r faultyRevocations) Append(ctx context.Context, e session.Event) (session.Event, error) {
	return pass(ctx, r.f, func(ctx context.Context) (session.Event, error) { return r.Revocations.Append(ctx, e) })
}

func (r faultyRevocations) Since(ctx context.Context, cursor string) (session.Batch, error) {
	return pass(ctx, r.f, func(ctx context.Context) (session.Batch, error) { return r.Revocations.Since(ctx, cursor) })
}

type faultyPusher struct {
	faultyRevocations
	pusher session.Pusher
}

func (p faultyPusher) Follow(ctx context.Context, told func(session.Event)) error {
	return done(ctx, p.f, func(ctx context.Context) error { return p.pusher.Follow(ctx, told) })
}

type faultyFamilies struct {
	session.Families
	f *Faults
}

func (s faultyFamilies) Create(ctx context.Context, family session.Family) error {
	return done(ctx, s.f, func(ctx context.Context) error { return s.Families.Create(ctx, family) })
}

func (s faultyFamilies) Get(ctx context.Context, id string) (session.Family, error) {
	return pass(ctx, s.f, func(ctx context.Context) (session.Family, error) { return s.Families.Get(ctx, id) })
}

func (s faultyFamilies) Rotate(ctx context.Context, id string, from uint64) (session.Family, error) {
	return pass(ctx, s.f, func(ctx context.Context) (session.Family, error) { return s.Families.Rotate(ctx, id, from) })
}

type faultyTickets struct {
	session.Tickets
	f *Faults
}

func (t faultyTickets) Put(ctx context.Context, digest [32]byte, sealed []byte, expires time.Time) error {
	return done(ctx, t.f, func(ctx context.Context) error { return t.Tickets.Put(ctx, digest, sealed, expires) })
}

func (t faultyTickets) Take(ctx context.Context, digest [32]byte) ([]byte, error) {
	return pass(ctx, t.f, func(ctx context.Context) ([]byte, error) { return t.Tickets.Take(ctx, digest) })
}

type faultyCluster struct {
	session.Cluster
	f *Faults
}

func (c faultyCluster) ClaimSlot(ctx context.Context, w session.Want) (session.Claim, error) {
	return pass(ctx, c.f, func(ctx context.Context) (session.Claim, error) { return c.Cluster.ClaimSlot(ctx, w) })
}

func (c faultyCluster) RenewSlots(ctx context.Context, node string, lease time.Duration, claims []session.Claim) ([]session.Renewal, error) {
	renewals, err := pass(ctx, c.f, func(ctx context.Context) ([]session.Renewal, error) {
		return c.Cluster.RenewSlots(ctx, node, lease, claims)
	})
	if renewals == nil {
		renewals = make([]session.Renewal, len(claims))
	}
	return renewals, err
}

func (c faultyCluster) ReleaseSlots(ctx context.Context, node string, claims []session.Claim) error {
	return done(ctx, c.f, func(ctx context.Context) error { return c.Cluster.ReleaseSlots(ctx, node, claims) })
}

func (c faultyCluster) Announce(ctx context.Context, node string, life time.Duration) error {
	return done(ctx, c.f, func(ctx context.Context) error { return c.Cluster.Announce(ctx, node, life) })
}

func (c faultyCluster) Members(ctx context.Context) ([]string, error) {
	return pass(ctx, c.f, c.Cluster.Members)
}

func (c faultyCluster) Send(ctx context.Context, node string, body []byte) error {
	return done(ctx, c.f, func(ctx context.Context) error { return c.Cluster.Send(ctx, node, body) })
}

func (c faultyCluster) Listen(ctx context.Context, node string, told func(session.Message)) error {
	return done(ctx, c.f, func(ctx context.Context) error {
		return c.Cluster.Listen(ctx, node, func(m session.Message) {
			if ctx.Err() == nil { // what comes after the link is cut does not arrive
				told(m)
			}
		})
	})
}
