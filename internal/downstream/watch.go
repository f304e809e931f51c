package downstream

import (
	"context"
	"time"
)

// watchEvery is how often requests that take long are looked at: whether anybody still waits for their answer. Most requests are
// answered before and cost nothing for it.
const watchEvery = 500 * time.Millisecond

// watch ends the contexts of requests whose client is gone.
func (s *Server) watch(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			s.look(now)
		}
	}
}

func (s *Server) look(now time.Time) {
	before := now.Add(-watchEvery).UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if since := c.busy.Load(); since > idle && since < before && isGone(c.net) {
			c.cancel()
		}
	}
}
