package jwks

import "time"

// EventKind says what an Event is about.
type EventKind string

const (
	// Fetched: a fetch gave a good set.
	Fetched EventKind = "fetched"
	// FetchFailed: a fetch did not; the keys that were known stay.
	FetchFailed EventKind = "fetch_failed"
	// LookupsRefused: lookups of unknown kids were refused without a fetch, because the budget was used up. It is
	// reported at most once in 5 s, however many there were.
	LookupsRefused EventKind = "lookups_refused"
)

// Event is one thing that happened to a Set.
type Event struct {
	// Kind says what it is.
	Kind EventKind
	// URL is Config.URL or Config.Discovery, without a query.
	URL string
	// At is when it happened, by Config.Now, in UTC.
	At time.Time
	// Took is how long the fetch took. Zero for LookupsRefused.
	Took time.Duration
	// Keys is how many usable keys the set has now.
	Keys int
	// Added and Removed are how many keys this fetch brought and took away.
	Added, Removed int
	// Skipped is how many keys of the fetched set could not be used: of an unknown kind, for encryption, too weak,
	// malformed, or of a kid that is there twice.
	Skipped int
	// Failures is how many fetches have failed in a row. 1 says that an outage has just begun.
	Failures int
	// Refused is how many lookups were refused since the last LookupsRefused event.
	Refused int
	// Err says why the fetch failed. It never holds anything of the answer's body.
	Err error
}

// State is what a Set has and does at a moment.
type State struct {
	// URL is Config.URL or Config.Discovery, without a query.
	URL string `json:"url"`
	// Keys is how many usable keys there are, however old.
	Keys int `json:"keys"`
	// FetchedAt is when the last good fetch began, in UTC. Zero if there was none.
	FetchedAt time.Time `json:"fetched_at,omitzero"`
	// NextFetch is when the background refresh is due, in UTC. Zero before the first use.
	NextFetch time.Time `json:"next_fetch,omitzero"`
	// StaleAt is when the keys stop serving unless a fetch succeeds, in UTC. Zero if there are none.
	StaleAt time.Time `json:"stale_at,omitzero"`
	// Failures is how many fetches have failed since the last good one.
	Failures int `json:"failures"`
	// LastError says why the last fetch failed, "" if it did not. It never holds anything of the answer's body.
	LastError string `json:"last_error,omitempty"`
	// Ready says that there are keys and that they are not stale.
	Ready bool `json:"ready"`
	// Skipped is how many keys of the last good set could not be used.
	Skipped int `json:"skipped"`
}

// State reports on the set. It does not fetch.
func (s *Set) State() State {
	now := s.config.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{URL: s.name, Failures: s.failures, NextFetch: s.next()}
	if s.lastErr != nil {
		state.LastError = s.lastErr.Error()
	}
	if set := s.current.Load(); set != nil {
		state.Keys, state.Skipped = len(set.keys), set.skipped
		state.FetchedAt, state.StaleAt = set.fetchedAt, set.staleAt
		state.Ready = set.serves(now)
	}
	return state
}
