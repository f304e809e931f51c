package app

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/session"
)

// watchEvery is how soon a change of state is in the log.
const watchEvery = time.Second

// Between the first fetches of keys that fail, the wait doubles from firstRetry to lastRetry.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// watch logs what changes in the state of issuers, ledger and keys: once when it changes, however many requests meet it.
// It also fetches the keys of issuers at the start, so that the first player need not wait; after that the key sets
// refresh themselves.
func (a *App) watch(ctx context.Context) {
	var w watcher
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		g := a.current.Load()
		if g != w.generation {
			w.enter(g)
			a.prefetch(ctx, g)
		}
		w.look(a)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// prefetch fetches the keys of each issuer in the background until it has some. What fails is in the issuers' state, which
// the watch reports.
func (a *App) prefetch(ctx context.Context, g *generation) {
	for _, issuer := range g.doors.issuers {
		if state, fetches := issuer.State(); !fetches || state.Ready {
			continue // a reload has kept it
		}
		a.tasks.Go(func() {
			for wait := firstRetry; issuer.Refresh(ctx) != nil && a.current.Load() == g; wait = min(2*wait, lastRetry) {
				select {
				case <-ctx.Done():
					return
				case <-time.After(wait):
				}
				if state, fetches := issuer.State(); !fetches || state.Ready {
					return
				}
			}
		})
	}
}

// watcher remembers what was last logged.
type watcher struct {
	generation *generation
	issuers    map[keySet]keysState
	signs      string
}

// keySet is one set of keys of one issuer.
type keySet struct {
	issuer *opened
	url    string
}

// enter takes over a generation, and what was logged of the issuers that it has kept.
func (w *watcher) enter(g *generation) {
	before := w.issuers
	w.generation, w.issuers = g, make(map[keySet]keysState)
	for set, state := range before {
		if slices.Contains(g.doors.issuers, set.issuer) {
			w.issuers[set] = state
		}
	}
}

// keysState is what of a key set is worth a line when it changes.
type keysState struct {
	ready, failing, lossy bool
}

func (w *watcher) look(a *App) {
	for i, state := range w.generation.doors.Identities.State() {
		issuer := w.generation.doors.issuers[i]
		issuer.events.look(a.options.Now())
		for _, keys := range state.Keys {
			w.keys(a.log, issuer, keys)
		}
	}
	a.ledgerWatch.look(a.log, a.ledger)
	if a.gate != nil {
		a.gate.retire()
	}
	if a.keys != nil {
		w.signer(a.log, a.keys)
	}
}

func (w *watcher) keys(log *slog.Logger, issuer *opened, keys jwks.State) {
	set := keySet{issuer, keys.URL}
	before, seen := w.issuers[set]
	now := keysState{ready: keys.Ready, failing: keys.Failures > 0, lossy: keys.Skipped > 0}
	if now == before || !seen && now == (keysState{}) {
		return
	}
	w.issuers[set] = now
	log = log.With("issuer", issuer.Name(), "realm", issuer.Realm(), "url", keys.URL, "keys", keys.Keys)
	switch {
	case !now.ready && before.ready:
		log.Error("the issuer's keys are too old: its tokens are refused until a fetch succeeds", "error", keys.LastError)
	case now.failing && !before.failing && now.ready:
		log.Warn("the issuer's keys cannot be fetched: known keys go on serving until they are too old", "error", keys.LastError, "stale_at", keys.StaleAt)
	case now.failing && !before.failing:
		log.Error("the issuer's keys cannot be fetched: its tokens are refused until a fetch succeeds", "error", keys.LastError)
	case now.lossy && !before.lossy:
		log.Warn("some of the issuer's keys cannot be used", "skipped", keys.Skipped)
	case now.ready:
		log.Info("the issuer's keys are fetched")
	}
}

func (w *watcher) signer(log *slog.Logger, keys *session.Keyring) {
	signs := ""
	if signer, err := keys.Signer(); err == nil {
		signs = signer.Key().ID()
	}
	if signs == w.signs {
		return
	}
	w.signs = signs
	if signs == "" {
		log.Error("no key signs session tokens: rotate the key file")
		return
	}
	log.Info("a key signs session tokens", "kid", signs)
}
