package connect

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

// ClusterAnswer is what the nodes of a cluster said, see ListSockets and KickSockets.
type ClusterAnswer struct {
	// Sockets are those that the filter selects, by node and number. KickSockets leaves them out.
	Sockets []SocketInfo `json:"sockets"`
	// Kicked is how many sockets were ended.
	Kicked int `json:"kicked"`
	// Nodes are the nodes that gave their whole answer, sorted.
	Nodes []string `json:"nodes"`
	// Silent are the nodes that are known to live and did not, sorted: what they hold is not known.
	Silent []string `json:"silent"`
}

const (
	askLimit   = 3 * time.Second
	answerPage = 200 // sockets in a message
)

// question goes to all nodes, answer back to the one who asked.
type question struct {
	ID     string       `json:"id"`
	From   string       `json:"from"`
	Filter SocketFilter `json:"filter"`
	Kick   CloseReason  `json:"kick,omitempty"` // "" lists
}

type answer struct {
	ID      string       `json:"id"`
	Node    string       `json:"node"`
	Sockets []SocketInfo `json:"sockets,omitempty"`
	Kicked  int          `json:"kicked,omitempty"`
	Page    int          `json:"page"`
	Last    bool         `json:"last"`
}

// ListSockets asks every node of a cluster for its live sockets that the filter selects. It needs no registry: a command
// of an operator's opens the store, and calls it. It returns when all nodes that are known to live have answered, or at the
// end of ctx, or after 3 s if ctx has none; who has not answered by then is in ClusterAnswer.Silent, and that is no error.
// Errors wrap session.ErrStoreUnavailable.
func ListSockets(ctx context.Context, nodes session.Nodes, filter SocketFilter) (ClusterAnswer, error) {
	return ask(ctx, nodes, question{Filter: filter})
}

// KickSockets ends the live sockets that the filter selects, on all nodes of a cluster, as CloseKicked or for another
// reason. For the rest it is as Registry.Kick and ListSockets: a node in ClusterAnswer.Silent may not have heard of it.
func KickSockets(ctx context.Context, nodes session.Nodes, filter SocketFilter, reason CloseReason) (ClusterAnswer, error) {
	if filter == (SocketFilter{}) {
		return ClusterAnswer{}, errKicksAll
	}
	if ProfilePlain.Closing(reason).Reason != reason {
		return ClusterAnswer{}, fmt.Errorf("connect: no such reason to close: %q", reason)
	}
	return ask(ctx, nodes, question{Filter: filter, Kick: reason})
}

// ask listens first, so that no answer is missed, and then asks.
func ask(ctx context.Context, nodes session.Nodes, q question) (ClusterAnswer, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		limited, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		ctx = limited
	}
	q.ID, q.From = rand.Text(), "ask-"+rand.Text()
	listening, end := context.WithCancel(ctx)
	defer end()
	heard, lost := make(chan session.Message), make(chan error, 1)
	go func() {
		lost <- nodes.Listen(listening, q.From, func(m session.Message) {
			select {
			case heard <- m:
			case <-listening.Done():
			}
		})
	}()
	g := gathering{expected: map[string]bool{}, pages: map[string]int{}}
	for !g.whole() {
		select {
		case err := <-lost:
			if !g.asked {
				return g.answer(), err
			}
			return g.answer(), nil
		case <-ctx.Done():
			return g.answer(), nil
		case m := <-heard:
			if err := g.take(ctx, nodes, q, m); err != nil {
				return g.answer(), err
			}
		}
	}
	return g.answer(), nil
}

// gathering is what has been answered so far.
type gathering struct {
	asked    bool
	expected map[string]bool // true: has answered
	pages    map[string]int
	sockets  []SocketInfo
	kicked   int
}

func (g *gathering) whole() bool {
	if !g.asked {
		return false
	}
	for _, answered := range g.expected {
		if !answered {
			return false
		}
	}
	return true
}

// take begins with the first message, which says that the answers will be heard.
func (g *gathering) take(ctx context.Context, nodes session.Nodes, q question, m session.Message) error {
	if m.Joined {
		return g.begin(ctx, nodes, q)
	}
	var a answer
	if err := json.Unmarshal(m.Body, &a); err != nil || a.ID != q.ID || a.Node == "" {
		return nil // another asker's, or the question itself
	}
	whole := a.Page == g.pages[a.Node] && !g.expected[a.Node]
	g.pages[a.Node]++
	g.sockets = append(g.sockets, a.Sockets...)
	g.kicked += a.Kicked
	g.expected[a.Node] = a.Last && whole
	return nil
}

func (g *gathering) begin(ctx context.Context, nodes session.Nodes, q question) error {
	members, err := nodes.Members(ctx)
	if err != nil || g.asked {
		return err
	}
	for _, name := range members {
		g.expected[name] = false
	}
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	g.asked = true
	return nodes.Send(ctx, "", body)
}

func (g *gathering) answer() ClusterAnswer {
	a := ClusterAnswer{Sockets: g.sockets, Kicked: g.kicked}
	for name, answered := range g.expected {
		if answered {
			a.Nodes = append(a.Nodes, name)
		} else {
			a.Silent = append(a.Silent, name)
		}
	}
	slices.Sort(a.Nodes)
	slices.Sort(a.Silent)
	slices.SortFunc(a.Sockets, func(x, y SocketInfo) int {
		return cmp.Or(cmp.Compare(x.Node, y.Node), cmp.Compare(x.ID, y.ID))
	})
	return a
}

// asked answers a question on a goroutine of its own, as it may have many pages.
func (o *owning) asked(body []byte) {
	var q question
	if err := json.Unmarshal(body, &q); err != nil || q.ID == "" || q.From == "" {
		return
	}
	o.tasks.Go(func() { _ = o.reply(q) })
}

var errKicksAll = errors.New("connect: SocketFilter selects all sockets: set a field, or use Drain")

func (o *owning) reply(q question) error {
	a := answer{ID: q.ID, Node: o.name}
	if q.Kick != "" {
		a.Kicked, _ = o.Kick(q.Filter, q.Kick) // the asker has checked the filter
		a.Last = true
		return o.send(q.From, a)
	}
	list := o.List(q.Filter)
	for {
		page := list[:min(len(list), answerPage)]
		list = list[len(page):]
		a.Sockets, a.Last = page, len(list) == 0
		if err := o.send(q.From, a); err != nil || a.Last {
			return err
		}
		a.Page++
	}
}

func (o *owning) send(to string, a answer) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return o.call(func(ctx context.Context) error { return o.store.Send(ctx, to, body) })
}
