package edge

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// pattern is the path of a route.
type pattern struct {
	text     string
	segments []segment
	below    bool // it ends with "/*": everything below
	literal  bool // no names and no "/*"
}

type segment struct {
	text string
	name bool // {text}: any segment of letters, digits, - and _
}

// parsePattern reads a route's Path.
func parsePattern(text string) (pattern, error) {
	p := pattern{text: text}
	path, below := strings.CutSuffix(text, "/*")
	p.below = below
	if text == "/*" {
		return pattern{text: text, below: true}, nil
	}
	if path == "" || path[0] != '/' {
		return p, fmt.Errorf("%q must begin with a slash", text)
	}
	parts := strings.Split(path[1:], "/")
	for i, part := range parts {
		s := segment{text: part}
		if name, ok := strings.CutPrefix(part, "{"); ok {
			s.name = true
			s.text = strings.TrimSuffix(name, "}")
			if s.text == name || !isNameSegment(s.text) {
				return p, fmt.Errorf("%q has a segment %q, which must be a name in braces", text, part)
			}
		} else if strings.ContainsAny(part, "*{}%") || !isCanonicalPath("/"+part) || part == "" && (below || i < len(parts)-1) {
			return p, fmt.Errorf("%q has a segment %q, which no request can have", text, part)
		}
		p.segments = append(p.segments, s)
	}
	p.literal = !below && !slices.ContainsFunc(p.segments, func(s segment) bool { return s.name })
	return p, nil
}

func isNameSegment(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return text != ""
}

func (s segment) matches(text string) bool {
	if s.name {
		return isNameSegment(text)
	}
	return s.text == text
}

// matches says whether a canonical path is one of the pattern's.
func (p *pattern) matches(path string) bool {
	rest := path
	for _, s := range p.segments {
		if rest == "" {
			return false
		}
		end := strings.IndexByte(rest[1:], '/') + 1
		if end == 0 {
			end = len(rest)
		}
		if !s.matches(rest[1:end]) {
			return false
		}
		rest = rest[end:]
	}
	if p.below {
		// A path that ends with a slash may be the one without it to a backend, so only a literal matches it.
		return len(rest) > 1 && rest[len(rest)-1] != '/'
	}
	return rest == ""
}

// segmentOf returns the segment of a path that a name of the pattern stands for.
func (p *pattern) segmentOf(path, name string) string {
	parts := strings.Split(path[1:], "/")
	for i, s := range p.segments {
		if s.name && s.text == name && i < len(parts) {
			return parts[i]
		}
	}
	return ""
}

func (p *pattern) hasName(name string) bool {
	return slices.ContainsFunc(p.segments, func(s segment) bool { return s.name && s.text == name })
}

// compare says whether two patterns have a path in common, and whether each has all paths of the other.
func (p *pattern) compare(q *pattern) (common, inQ, inP bool) {
	inQ, inP = true, true
	for i := 0; ; i++ {
		pEnds, qEnds := i == len(p.segments), i == len(q.segments)
		switch {
		case pEnds && qEnds:
			return p.below == q.below, inQ, inP
		case pEnds:
			return p.below, false, inP
		case qEnds:
			return q.below, inQ, false
		}
		a, b := p.segments[i], q.segments[i]
		switch {
		case !a.name && !b.name && a.text != b.text, a.name && !a.matches(b.text), b.name && !b.matches(a.text):
			return false, false, false
		case a.name && !b.name:
			inQ = false
		case !a.name && b.name:
			inP = false
		}
	}
}

// moreSpecific orders patterns so that one comes before every other that has all of its paths and more.
func (p *pattern) moreSpecific(q *pattern) int {
	if n := len(q.segments) - len(p.segments); n != 0 {
		return n
	}
	literals := func(p *pattern) (n int) {
		for _, s := range p.segments {
			if !s.name {
				n++
			}
		}
		return n
	}
	if n := literals(q) - literals(p); n != 0 {
		return n
	}
	return strings.Compare(p.text, q.text)
}

// table finds the route of a request. It is immutable.
type table struct {
	exact    map[string]*place
	patterns []*place // the most specific first
	routes   []*route
}

// place is a path with its routes, one for each method.
type place struct {
	pattern pattern
	routes  []*route
	allow   string // the methods, for a 405

	preflight *route // that answers a browser's question, nil if none does
}

func newTable(routes []*route) (*table, error) {
	t := &table{exact: make(map[string]*place), routes: routes}
	for _, r := range routes {
		if err := t.add(r); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(t.patterns, func(a, b *place) int { return a.pattern.moreSpecific(&b.pattern) })
	for _, p := range t.patterns {
		if p.pattern.literal {
			t.exact[p.pattern.text] = p
		}
	}
	t.patterns = slices.DeleteFunc(t.patterns, func(p *place) bool { return p.pattern.literal })
	return t, nil
}

func (t *table) add(r *route) error {
	for _, p := range t.patterns {
		common, inside, around := r.pattern.compare(&p.pattern)
		other := p.routes[0]
		switch {
		case common && inside && around:
			return p.join(r)
		case common && !inside && !around:
			return fmt.Errorf("edge: Routes: %q (%s) and %q (%s) overlap and neither is more specific: change a path", r.Name, r.Path, other.Name, other.Path)
		}
	}
	p := &place{pattern: r.pattern}
	t.patterns = append(t.patterns, p)
	return p.join(r)
}

// join adds the route of other methods to a path.
func (p *place) join(r *route) error {
	for _, other := range p.routes {
		for _, method := range r.Methods {
			if slices.Contains(other.Methods, method) {
				return fmt.Errorf("edge: Routes: %q and %q are both for %s %s: remove one", r.Name, other.Name, method, r.Path)
			}
		}
	}
	p.routes = append(p.routes, r)
	if p.allow != "" {
		p.allow += ", "
	}
	p.allow += strings.Join(r.Methods, ", ")
	if r.Preflight && p.preflight == nil {
		p.preflight = r.asked()
	}
	return nil
}

// asked is the route of a browser's question about this one.
func (r *route) asked() *route {
	return &route{
		Route: Route{
			Name: r.Name, Path: r.Path, Methods: []string{http.MethodOptions}, Backend: r.Backend, Who: Public, Timeout: r.Timeout,
			BodyTimeout: r.BodyTimeout, Preflight: true,
		},
		pattern: r.pattern, pool: r.pool, secrets: r.secrets, cookies: r.cookies,
	}
}

// find returns the route of a canonical path and a method, and the path's place, which is there also for another method.
func (t *table) find(method, path string) (*route, *place) {
	p := t.exact[path]
	for i := 0; p == nil && i < len(t.patterns); i++ {
		if t.patterns[i].pattern.matches(path) {
			p = t.patterns[i]
		}
	}
	if p == nil {
		return nil, nil
	}
	for _, r := range p.routes {
		if slices.Contains(r.Methods, method) {
			return r, p
		}
	}
	return nil, p
}
