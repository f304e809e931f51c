package app

import (
	"cmp"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/server/internal/config"
)

// opened is one identity provider of the configuration. A reload keeps those whose part of the file is as before, with
// the keys that are known of them: the provider may be away at that moment.
type opened struct {
	*identity.Issuer
	preset config.Preset
	events *keyEvents
}

// open makes an issuer, or takes the one of the doors before if it was made of the same fields.
func (c DoorsConfig) open(issuer config.Issuer) (*opened, error) {
	if c.Before != nil {
		for _, o := range c.Before.issuers {
			if reflect.DeepEqual(o.preset, issuer.Preset) {
				return o, nil
			}
		}
	}
	log := cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	events := &keyEvents{log: log.With("issuer", issuer.Type, "realm", issuer.Preset.RealmName())}
	made, err := issuer.Preset.New(identity.Common{Client: c.Client, Now: c.Now, Observe: events.observe})
	if err != nil {
		return nil, err
	}
	return &opened{made, issuer.Preset, events}, nil
}

// Close ends the background refresh of the issuers' keys.
func (d *Doors) Close() { d.closeBut(nil) }

// closeBut closes what other doors, if there are any, do not have.
func (d *Doors) closeBut(others *Doors) {
	for _, issuer := range d.issuers {
		if others == nil || !slices.Contains(others.issuers, issuer) {
			issuer.Close()
		}
	}
}

// floodOver is how long no lookup has been refused when a flood of them is over.
const floodOver = time.Minute

// keyEvents logs what happens to the keys of one issuer: each change of them, and the beginning and the end of a flood of
// lookups of unknown keys, however many requests are part of it. That fetches fail is the watch's to say.
type keyEvents struct {
	log *slog.Logger

	mu      sync.Mutex
	flooded bool
	refused int
	last    time.Time
}

func (k *keyEvents) observe(e jwks.Event) {
	first := e.Added == e.Keys && e.Removed == 0
	switch {
	case e.Kind == jwks.LookupsRefused:
		k.refuse(e)
	case e.Kind == jwks.Fetched && !first && e.Added+e.Removed > 0:
		k.log.Info("the issuer's keys have changed", "url", e.URL, "added", e.Added, "removed", e.Removed, "keys", e.Keys)
	}
}

func (k *keyEvents) refuse(e jwks.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refused += e.Refused
	k.last = e.At
	if k.flooded {
		return
	}
	k.flooded = true
	k.log.Warn("a flood of tokens with unknown keys: most are refused without asking the issuer", "url", e.URL, "keys", e.Keys)
}

// look says that a flood is over.
func (k *keyEvents) look(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.flooded || now.Sub(k.last) < floodOver {
		return
	}
	k.log.Info("the flood of tokens with unknown keys is over", "refused", fmt.Sprintf("at least %d", k.refused))
	k.flooded, k.refused = false, 0
}
