package connect

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func (r *Registry) now() int64 { return nanos(r.config.Now()) }

// end ends a live socket and starts its hook. It reports whether the socket was live. All below runs under the lock
// unless it says otherwise.
func (r *Registry) end(s *Socket, reason CloseReason) bool {
	closing := s.route.Profile.Closing(reason)
	if !r.remove(s, closing.Reason) {
		return false
	}
	r.closing++
	go r.runClose(s, closing)
	return true
}

// runClose runs without the lock.
func (r *Registry) runClose(s *Socket, closing Closing) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.closing--
		r.settle()
	}()
	s.hooks.Close(closing)
}

func (r *Registry) remove(s *Socket, reason CloseReason) bool {
	if s.place == nowhere {
		return false
	}
	heap.Remove(&r.queue, s.place)
	r.indexes.remove(s)
	s.reason = reason
	r.ended[reason]++
	if r.owning != nil {
		r.owning.left(s)
	}
	return true
}

// settle notices that a drain is over. A socket that waits for its claim, and will be refused, must give it back before.
func (r *Registry) settle() {
	if !r.draining || len(r.queue) > 0 || r.closing > 0 || r.owning != nil && len(r.owning.sockets) > 0 {
		return
	}
	select {
	case <-r.empty:
	default:
		close(r.empty)
	}
}

func (r *Registry) endAll(reason CloseReason) {
	for len(r.queue) > 0 {
		r.end(r.queue[len(r.queue)-1], reason) // the last costs least to remove
	}
}

// take ends the sockets that an event of the ledger is about. It goes by the event and not by the ledger's answer, which
// may be Unavailable in the very moment at which the store is back. It takes the lock.
func (r *Registry) take(e session.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case session.SessionRevoked:
		for s := range r.indexes.sessions.all(e.Session) {
			r.end(s, CloseRevoked)
		}
	case session.UpstreamRevoked:
		for s := range r.indexes.upstreams.all(upstreamKey{e.Player.Realm, e.Upstream}) {
			r.end(s, CloseRevoked)
		}
	case session.PlayerCutOff:
		for s := range r.indexes.named(e.Player) {
			if s.who.oldest <= e.At.Unix() {
				r.end(s, CloseRevoked)
			}
		}
	case session.PlayerBanned:
		if !e.Until.IsZero() && nanos(e.Until) <= r.now() {
			return
		}
		for s := range r.indexes.named(e.Player) {
			r.end(s, CloseBanned)
		}
	case session.PlayerAlias:
		for _, s := range slices.Collect(r.indexes.users.all(e.Alias)) {
			r.reassign(s, e)
		}
	}
}

// reassign gives a socket to the player whom its backend's user turned out to be. If he has another socket in that slot
// the later one stays.
func (r *Registry) reassign(s *Socket, e session.Event) {
	if r.owning != nil {
		r.owning.moves(s)
	}
	r.indexes.remove(s)
	s.who.player = e.Player
	r.indexes.add(s)
	switch jws.ReasonOf(r.config.Ledger.CheckSession(s.who.judged())) {
	case jws.Banned:
		r.end(s, CloseBanned)
		return
	case jws.Revoked:
		r.end(s, CloseRevoked)
		return
	}
	if _, mates, first := r.matesOf(s); mates >= s.route.PerSlot {
		if s.before(first) {
			first = s
		}
		r.end(first, CloseReplaced)
	}
}

// dueOf is when a socket needs attention next.
func (r *Registry) dueOf(s *Socket) int64 {
	due := s.expires
	if r.config.Notice > 0 && s.hooks.Notice != nil && !s.noticed {
		due = min(due, s.expires-int64(r.config.Notice))
	}
	if s.drains != 0 {
		due = min(due, s.drains)
	}
	return due
}

func (r *Registry) reschedule(s *Socket) {
	s.due = r.dueOf(s)
	heap.Fix(&r.queue, s.place)
}

// attend does what is due for a socket.
func (r *Registry) attend(s *Socket, now int64) {
	switch {
	case s.expires <= now:
		r.end(s, CloseExpired)
	case s.drains != 0 && s.drains <= now:
		r.end(s, CloseDraining)
	default:
		s.noticed = true
		go s.hooks.Notice(utc(s.expires))
		r.reschedule(s)
	}
}

// arm sets the timer if it would fire too late or not at all. While there are sockets it fires once a pulse at least, as
// the clock may be set and as a ledger tells nobody that it has become stale.
func (r *Registry) arm(now int64) {
	if len(r.queue) == 0 {
		return // if the timer fires nothing is due, and it is not set again
	}
	at := min(r.queue[0].due, now+int64(r.pulse))
	if r.wakes != 0 && r.wakes <= at {
		return
	}
	r.wakes = at
	wait := time.Duration(max(0, at-now))
	if r.timer == nil {
		r.timer = time.AfterFunc(wait, r.wake)
		return
	}
	r.timer.Reset(wait)
}

// wake does what is due for all. It takes the lock.
func (r *Registry) wake() {
	stale := r.config.Stale == CloseSockets && !r.config.Ledger.State().Ready
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.wakes = 0
	if stale {
		r.endAll(CloseUnavailable)
	}
	for len(r.queue) > 0 && r.queue[0].due <= now {
		r.attend(r.queue[0], now)
	}
	r.arm(now)
}

// maxWindow is the longest drain.
const maxWindow = time.Hour

// Drain ends the registry: it admits nobody any more, and ends the live sockets as CloseDraining, spread evenly over the
// window with jitter, so that they do not all come back elsewhere at once. It returns nil when none is left and all hooks
// have returned and the slots are given back to Owners, and the error of ctx when that ends first; the sockets left are then ended at once and not waited for.
// window is at most 1 h. Drain may be called again meanwhile: the last window counts, and one of 0 ends all at once.
func (r *Registry) Drain(ctx context.Context, window time.Duration) error {
	r.startDrain(min(max(0, window), maxWindow))
	defer r.cancel()
	select {
	case <-r.empty:
		return r.leaveCluster(ctx)
	case <-ctx.Done():
		r.startDrain(0)
		go func() { _ = r.leaveCluster(context.Background()) }()
		return ctx.Err()
	}
}

func (r *Registry) startDrain(window time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
	defer r.settle()
	if len(r.queue) == 0 {
		return
	}
	now := r.now()
	step := int64(window) / int64(len(r.queue))
	if step == 0 {
		r.endAll(CloseDraining)
		return
	}
	for i, s := range r.queue {
		s.drains = now + int64(i)*step + rand.Int64N(step)
		s.due = r.dueOf(s)
	}
	heap.Init(&r.queue)
	r.arm(now)
}
