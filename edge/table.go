package edge

import (
	"fmt"
	"slices"
	"strings"
)

// inOrder returns the routes with the most specific paths first, for as much as their paths can be read.
func inOrder(routes []Route) []Route {
	sorted := slices.Clone(routes)
	slices.SortStableFunc(sorted, func(a, b Route) int {
		p, _ := parsePattern(a.Path)
		q, _ := parsePattern(b.Path)
		return p.moreSpecific(&q)
	})
	return sorted
}

func (r *Route) whoText() string {
	if len(r.Rules) > 0 {
		return fmt.Sprintf("%s, rules: %d", r.Who, len(r.Rules))
	}
	return r.Who.String()
}

func (r *Route) note() string {
	var notes []string
	if r.Socket != nil {
		notes = append(notes, fmt.Sprintf("%s sockets, %s", r.Socket.Profile, r.Socket.Mode))
	}
	if r.special != nil {
		notes = append(notes, r.special.note())
	}
	if r.Forward.Bearer || r.Forward.Query != "" {
		notes = append(notes, "the token goes on to the backend")
	}
	if r.Warning != "" {
		notes = append(notes, "WARNING: "+r.Warning)
	}
	return strings.Join(notes, "; ")
}
