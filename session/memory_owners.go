package session

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"
)

var _ Cluster = (*MemoryStore)(nil)

// ownerMemory is how long a slot's highest fence is remembered after its last claim is over.
const ownerMemory = time.Minute

// owners are the claims and the nodes of a MemoryStore.
type owners struct {
	epoch string

	mu        sync.Mutex
	slots     map[OwnedSlot]*ownedSlot
	swept     time.Time
	members   map[string]time.Time
	listeners map[string]map[*listener]bool
}

type ownedSlot struct {
	last   uint64 // the highest fence so far
	claims []heldClaim
	until  time.Time // forgotten then
}

type heldClaim struct {
	node   string
	number uint64
	fence  uint64
	until  time.Time
}

func newOwners() owners {
	return owners{
		epoch: rand.Text(), slots: map[OwnedSlot]*ownedSlot{},
		members: map[string]time.Time{}, listeners: map[string]map[*listener]bool{},
	}
}

// ClaimSlot gives a socket a place, see [Owners].
func (m *MemoryStore) ClaimSlot(ctx context.Context, w Want) (Claim, error) {
	if err := available(ctx); err != nil {
		return Claim{}, err
	}
	o, now := &m.owners, m.now()
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.slot(w.Slot, now)
	until := s.keep(now, w.Lease)
	claim := Claim{Slot: w.Slot, Number: w.Number, Room: w.Room, Epoch: o.epoch}
	if i := s.find(w.Node, w.Number); i >= 0 {
		s.claims[i].until = until
		claim.Fence = s.claims[i].fence
		return claim, nil
	}
	since := uint64(now.Add(-w.Age).UnixMicro())
	if len(s.claims) >= w.Room && (w.Refuse || w.Age > 0 && s.later(since) >= w.Room) {
		return Claim{}, ErrConflict
	}
	o.makeRoom(s, w.Room)
	s.last = max(s.last+1, since)
	s.add(heldClaim{w.Node, w.Number, s.last, until})
	claim.Fence = s.last
	return claim, nil
}

// slot returns the slot without the claims that are over.
func (o *owners) slot(name OwnedSlot, now time.Time) *ownedSlot {
	if now.Sub(o.swept) > ownerMemory {
		o.swept = now
		maps.DeleteFunc(o.slots, func(_ OwnedSlot, s *ownedSlot) bool { return !now.Before(s.until) })
	}
	s := o.slots[name]
	if s == nil {
		s = &ownedSlot{}
		o.slots[name] = s
	}
	s.claims = slices.DeleteFunc(s.claims, func(c heldClaim) bool { return !now.Before(c.until) })
	return s
}

// keep returns the end of a claim that is made or renewed now.
func (s *ownedSlot) keep(now time.Time, lease time.Duration) time.Time {
	until := now.Add(lease + OwnerGuard)
	if later := until.Add(ownerMemory); later.After(s.until) {
		s.until = later
	}
	return until
}

func (s *ownedSlot) find(node string, number uint64) int {
	return slices.IndexFunc(s.claims, func(c heldClaim) bool { return c.node == node && c.number == number })
}

// later counts the claims with a higher fence.
func (s *ownedSlot) later(fence uint64) (n int) {
	for _, c := range s.claims {
		if c.fence > fence {
			n++
		}
	}
	return n
}

// add keeps the claims in the order of their fences.
func (s *ownedSlot) add(c heldClaim) {
	s.claims = slices.Insert(s.claims, len(s.claims)-s.later(c.fence), c)
}

// makeRoom takes the place from as many claims as there must be room for one more, the lowest fences first.
func (o *owners) makeRoom(s *ownedSlot, room int) {
	for len(s.claims) >= room {
		lost := s.claims[0]
		s.claims = s.claims[1:]
		o.tell(lost.node, Message{Lost: lost.number})
	}
}

// RenewSlots extends claims, see [Owners].
func (m *MemoryStore) RenewSlots(ctx context.Context, node string, lease time.Duration, claims []Claim) ([]Renewal, error) {
	renewals := make([]Renewal, len(claims))
	if err := available(ctx); err != nil {
		return renewals, err
	}
	o, now := &m.owners, m.now()
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, c := range claims {
		renewals[i].Standing = o.renew(node, lease, c, now)
		if renewals[i].Standing == StandingHeld {
			renewals[i].Epoch = o.epoch
		}
	}
	return renewals, nil
}

func (o *owners) renew(node string, lease time.Duration, c Claim, now time.Time) Standing {
	s := o.slot(c.Slot, now)
	until := s.keep(now, lease)
	if i := s.find(node, c.Number); i >= 0 {
		s.claims[i].until = until
		return StandingHeld
	}
	superseded := s.last > c.Fence
	switch {
	case c.Epoch == o.epoch && !superseded:
		return StandingGone
	case c.Epoch == o.epoch, superseded && c.Room == 1, s.later(c.Fence) >= c.Room:
		return StandingReplaced
	}
	o.makeRoom(s, c.Room)
	s.last = max(s.last, c.Fence)
	s.add(heldClaim{node, c.Number, c.Fence, until})
	return StandingHeld
}

// ReleaseSlots gives up claims, see [Owners].
func (m *MemoryStore) ReleaseSlots(ctx context.Context, node string, claims []Claim) error {
	if err := available(ctx); err != nil {
		return err
	}
	o, now := &m.owners, m.now()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range claims {
		s := o.slot(c.Slot, now)
		if i := s.find(node, c.Number); i >= 0 {
			s.claims = slices.Delete(s.claims, i, i+1)
		}
	}
	return nil
}

// Announce says that a node lives, see [Nodes].
func (m *MemoryStore) Announce(ctx context.Context, node string, life time.Duration) error {
	if err := available(ctx); err != nil {
		return err
	}
	m.owners.mu.Lock()
	defer m.owners.mu.Unlock()
	if life <= 0 {
		delete(m.owners.members, node)
		return nil
	}
	m.owners.members[node] = m.now().Add(life)
	return nil
}

// Members returns the nodes that live, see [Nodes].
func (m *MemoryStore) Members(ctx context.Context) ([]string, error) {
	if err := available(ctx); err != nil {
		return nil, err
	}
	now := m.now()
	m.owners.mu.Lock()
	defer m.owners.mu.Unlock()
	maps.DeleteFunc(m.owners.members, func(_ string, until time.Time) bool { return !now.Before(until) })
	return slices.Sorted(maps.Keys(m.owners.members)), nil
}

// Send sends a text, see [Nodes].
func (m *MemoryStore) Send(ctx context.Context, node string, body []byte) error {
	if err := available(ctx); err != nil {
		return err
	}
	o := &m.owners
	o.mu.Lock()
	defer o.mu.Unlock()
	message := Message{Body: slices.Clone(body)}
	if node != "" {
		o.tell(node, message)
		return nil
	}
	for name := range o.listeners {
		o.tell(name, message)
	}
	return nil
}

func (o *owners) tell(node string, message Message) {
	for l := range o.listeners[node] {
		l.push(message)
	}
}

// Listen calls told with each message, see [Nodes].
func (m *MemoryStore) Listen(ctx context.Context, node string, told func(Message)) error {
	if err := available(ctx); err != nil {
		return err
	}
	l := &listener{news: make(chan struct{}, 1)}
	o := &m.owners
	o.mu.Lock()
	if o.listeners[node] == nil {
		o.listeners[node] = map[*listener]bool{}
	}
	o.listeners[node][l] = true
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if delete(o.listeners[node], l); len(o.listeners[node]) == 0 {
			delete(o.listeners, node)
		}
	}()
	told(Message{Joined: true})
	for {
		select {
		case <-ctx.Done():
			return available(ctx)
		case <-l.news:
		}
		for _, message := range l.pull() {
			told(message)
		}
	}
}

// listener is a queue of messages for one call of Listen.
type listener struct {
	mu    sync.Mutex
	queue []Message
	news  chan struct{}
}

func (l *listener) push(message Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, message)
	select {
	case l.news <- struct{}{}:
	default:
	}
}

func (l *listener) pull() []Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	messages := l.queue
	l.queue = nil
	return messages
}
