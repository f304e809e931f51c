package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	healChunk  = 128
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// State is what a store knows about itself, for logs and metrics.
type State struct {
	// Epochs counts the changes of the epoch of the revocations' server, with the first one that was seen; each further one
	// is a fail-over, a restart or a log that was emptied.
	Epochs int
	// Healed says that what this node acknowledged is in the present epoch, written again if it had to be.
	Healed bool
	// Remembered is how many revocations and aliases this node would write again.
	Remembered int
	// Reasserted counts those that were written again since Open.
	Reasserted int
	// LastError is why that failed the last time, "" once it succeeded.
	LastError string
}

// healer writes what this node acknowledged again when the server may have lost it.
type healer struct {
	life   context.Context // ends with Close
	group  sync.WaitGroup
	memory memory

	mu      sync.Mutex
	seen    string // the epoch that a server named last
	healed  string // the epoch in which everything remembered was written
	running bool
	closed  bool
	again   bool // another epoch was named since the pass that runs began
	state   State
}

func (h *healer) wait() {
	h.mu.Lock()
	h.closed = true // whoever found it open has added to the group by now
	h.mu.Unlock()
	h.group.Wait()
}

// saw takes the epoch that a server named with its answer and says whether to start to heal.
func (h *healer) saw(epoch string) (start bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen == epoch && h.healed == epoch {
		return false
	}
	if h.seen == "" {
		h.healed = epoch // everything so far was written to this one
	}
	if h.seen != epoch {
		h.seen, h.again = epoch, true
		h.state.Epochs++
	}
	if h.healed == epoch || h.running || h.closed {
		return false
	}
	h.running = true
	h.group.Add(1)
	return true
}

func (h *healer) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.again = false
}

// note records a pass and says whether all is done. It is not when another epoch was named meanwhile: what a server that
// was replaced acknowledged during the pass may not have been part of it.
func (h *healer) note(epoch string, n int, err error) (done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.Reasserted += n
	if err != nil {
		h.state.LastError = err.Error()
		return false
	}
	h.state.LastError = ""
	if epoch != "" {
		h.seen = epoch
	}
	h.healed = h.seen
	h.running = h.again
	return !h.again
}

func (s *Store) observe(epoch string) {
	if s.healer.saw(epoch) {
		s.tell()
		go s.heal()
	}
}

func (s *Store) tell() {
	if s.config.Observe != nil {
		s.config.Observe(s.State())
	}
}

// State returns the store's state now. It asks no server.
func (s *Store) State() State {
	h := &s.healer
	h.mu.Lock()
	defer h.mu.Unlock()
	state := h.state
	state.Remembered = h.memory.len()
	state.Healed = h.seen != "" && h.healed == h.seen
	return state
}

// heal writes everything again until one epoch has all of it.
func (s *Store) heal() {
	h := &s.healer
	defer h.group.Done()
	for failures := 0; h.life.Err() == nil; {
		h.begin()
		epoch, n, err := s.reassert(h.life)
		if h.note(epoch, n, err) {
			s.tell()
			return
		}
		if err != nil {
			pause(h.life, min(minBackoff<<min(failures, 16), maxBackoff))
			failures++
		}
	}
}

var errMoved = errors.New("the epoch changed meanwhile")

// reassert writes everything that is remembered and returns the epoch that has it, "" if there is nothing.
func (s *Store) reassert(ctx context.Context) (epoch string, n int, err error) {
	all := s.healer.memory.live(time.Now())
	for len(all) > 0 {
		chunk := all[:min(len(all), healChunk)]
		of, err := s.reassertChunk(ctx, chunk)
		if err == nil && epoch != "" && of != epoch {
			err = errMoved
		}
		if err != nil {
			return "", n, err
		}
		epoch, n, all = of, n+len(chunk), all[len(chunk):]
	}
	return epoch, n, nil
}

// reassertChunk sends the first event alone, so that the server has the script, and the others together.
func (s *Store) reassertChunk(ctx context.Context, chunk []string) (epoch string, err error) {
	commands := make([]rueidis.Completed, 0, len(chunk))
	for i, body := range chunk {
		e, err := parseEvent(body, "")
		if err != nil {
			return "", err
		}
		args, err := s.appendArgs(e)
		if err != nil {
			return "", err
		}
		if i > 0 {
			args = append([]string{s.now()}, args...)
			commands = append(commands, appendScript.named(s.client.B(), s.keys.all(), args))
			continue
		}
		answer, err := s.call(ctx, appendScript, s.keys.all(), args...)
		if err != nil {
			return "", err
		}
		epoch = text(answer, 0)
	}
	return epoch, s.sendAll(ctx, epoch, commands)
}

// sendAll sends the commands together and wants each to be answered in the same epoch.
func (s *Store) sendAll(ctx context.Context, epoch string, commands []rueidis.Completed) error {
	if len(commands) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	for _, result := range s.client.DoMulti(ctx, commands...) {
		answer, err := result.ToArray()
		if err != nil {
			return unavailable(err)
		}
		if text(answer, 0) != epoch {
			return errMoved
		}
	}
	return nil
}

// pause waits for d, less up to half of it by chance, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
