package nakama

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/heroiclabs/nakama-common/runtime"
)

// methods are Nakama's ways to authenticate besides the custom id.
var methods = []string{"apple", "device", "email", "facebook", "facebookinstantgame", "gamecenter", "google", "steam"}

// doors are the ways that are open. The zero value has none.
type doors struct {
	open     map[string]bool
	existing map[string]bool
}

func newDoors(key string, words []string, withExisting bool) (doors, error) {
	d := doors{make(map[string]bool), make(map[string]bool)}
	for _, word := range words {
		method, existing := strings.CutSuffix(word, ":existing")
		if !slices.Contains(methods, method) || (existing && !withExisting) {
			return doors{}, fmt.Errorf("%s: want some of %s", key, strings.Join(methods, ", "))
		}
		d.open[method], d.existing[method] = true, existing
	}
	return d, nil
}

// entry is the part of an Authenticate request that the client must not choose.
type entry struct {
	vars     *map[string]string
	username *string
	create   func() // makes the request one for accounts that exist
}

// authenticate makes the hook of a way to authenticate that is not verified here.
func authenticate[T any](m *module, d doors, method string, entryOf func(*T) *entry) beforeHook[T] {
	return before("BeforeAuthenticate "+method, func(_ context.Context, _ runtime.Logger, in *T) error {
		if !d.open[method] {
			return errClosed
		}
		if err := m.ledger.CheckNew(); err != nil {
			return asError(err)
		}
		e := entryOf(in)
		if e == nil {
			return errRequest
		}
		if d.existing[method] {
			e.create()
		}
		if m.config.Username != "client" {
			*e.username = ""
		}
		*e.vars = m.seal.vars(stamp{door: method, login: newID(), at: m.now()})
		return nil
	})
}

// link makes the hook of a link or its removal.
func link[T any](d doors, method string, closed error) beforeHook[T] {
	return before("Before link or unlink "+method, func(context.Context, runtime.Logger, *T) error {
		if !d.open[method] {
			return closed
		}
		return nil
	})
}

// zero returns a new value of what p points to: the false of a wrapper whose package we do not import.
func zero[T any](*T) *T { return new(T) }
