package connect

import (
	"errors"
	"fmt"
	"slices"
)

// SocketRoute says how sockets of a route live.
type SocketRoute struct {
	// Mode decides about a full slot. Required.
	Mode SlotMode
	// PerSlot is how many sockets a slot has room for. Default 1.
	PerSlot int
	// Profile says which close codes the clients understand. Required.
	Profile Profile
}

// socketRoute is never changed: SetRoutes makes new ones, and a socket keeps the one of its admission.
type socketRoute struct {
	name string
	SocketRoute
}

func routesOf(routes map[string]SocketRoute) map[string]*socketRoute {
	all := make(map[string]*socketRoute, len(routes))
	for name, route := range routes {
		route.PerSlot = max(1, route.PerSlot)
		all[name] = &socketRoute{name, route}
	}
	return all
}

func (c *RegistryConfig) checkRoutes(routes map[string]SocketRoute) error {
	for name, route := range routes {
		if err := route.check(c.PerPlayer); err != nil {
			return fmt.Errorf("connect: RegistryConfig.Routes[%q]: %v", name, err)
		}
	}
	return nil
}

func (route SocketRoute) check(most int) error {
	switch {
	case route.Mode != ReplaceOlder && route.Mode != RefuseNewer:
		return fmt.Errorf("field Mode: decide between %q and %q", ReplaceOlder, RefuseNewer)
	case route.PerSlot < 0 || route.PerSlot > most:
		return fmt.Errorf("field PerSlot: want 1 to PerPlayer, %d", most)
	case closeRows[0].code(route.Profile) == 0:
		return fmt.Errorf("field Profile: decide between %q, %q and %q", ProfilePlain, ProfileNakama, ProfileColyseus)
	}
	return nil
}

// SetRoutes replaces all routes, as when a configuration is read again. The sockets of a route that is gone end as
// CloseRefused, for the door that they came through is closed now; so a route that gets another name loses its sockets.
// The sockets of a route that stays live on with the close codes of their admission, and from the next admission on Mode
// and PerSlot are the new ones: a slot that has less room now gives up its oldest sockets then, and not before.
//
// An empty map is no route at all, and nil is an error. An error names the field to set, and nothing has changed then.
func (r *Registry) SetRoutes(routes map[string]SocketRoute) error {
	if routes == nil {
		return errors.New("connect: SetRoutes: routes are nil: give an empty map to close them all")
	}
	if err := r.config.checkRoutes(routes); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routes = routesOf(routes)
	for _, s := range slices.Clone(r.queue) {
		if r.routes[s.route.name] == nil {
			r.end(s, CloseRefused)
		}
	}
	return nil
}
